//! The shell scripts in the CI files, run with substitutes for the host's programs.

mod action;
mod apply;
mod checkout;
mod fork;
mod install;
mod issues;
mod stage;

const PULL_REQUEST: &str = "templates/github/portvakt-pull-request.yml";
const DRIFT: &str = "templates/github/portvakt-drift.yml";
const GITLAB: &str = "templates/gitlab/portvakt.gitlab-ci.yml";
const AZURE_MERGE: &str = "templates/azure/portvakt-merge.yml";
const AZURE_DRIFT: &str = "templates/azure/portvakt-drift.yml";
const AZURE_INSTALL: &str = "templates/azure/portvakt-install.yml";
