//! The CI system that a command runs in.

/// A job of a CI system, and the token that it needs to comment.
pub(super) struct CiJob {
    pub(super) host: &'static str,
    /// The variable with the token.
    pub(super) token: &'static str,
    /// How the job gets it.
    pub(super) remedy: &'static str,
}

/// Each system, by a variable that it sets.
const SYSTEMS: [(&str, CiJob); 3] = [
    (
        "GITHUB_ACTIONS",
        CiJob {
            host: "GitHub",
            token: "GITHUB_TOKEN",
            remedy: "Give the step `env: { GITHUB_TOKEN: ${{ github.token }} }`, and add to the job's \
                     `permissions`, beside `contents: read`, `pull-requests: write` for comment or \
                     `pull-requests: read` for reviewed",
        },
    ),
    (
        "GITLAB_CI",
        CiJob {
            host: "GitLab",
            token: "PORTVAKT_GITLAB_TOKEN",
            remedy: "Make a project access token with the scope api and the role Reporter, and store it as \
                     a masked variable of that name",
        },
    ),
    (
        "TF_BUILD",
        CiJob {
            host: "Azure DevOps",
            token: "SYSTEM_ACCESSTOKEN",
            remedy: "Give the step `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }`",
        },
    ),
];

/// The job of this process, if it is one.
pub(super) fn here() -> Option<CiJob> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    SYSTEMS.into_iter().find(|(name, _)| is_set(name)).map(|(_, job)| job)
}
