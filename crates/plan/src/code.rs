//! Codes of a plan's findings.

use std::fmt;

use serde::{Serialize, Serializer};

domain::words! {
    /// Subject of a code.
    pub enum CodeKind {
        /// An action that will not be done.
        Blocked = "blocked",
        /// Information for the reviewer.
        Notice = "notice",
        /// A limit of `guards` that the plan exceeds.
        Limit = "limit",
    }
}

macro_rules! codes {
    ($(#[doc = $doc:literal] $name:ident = $code:literal, $kind:ident, $meaning:literal;)+) => {
        /// Reason why an action is blocked, subject of a notice, or exceeded limit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $doc] $name,)+
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code as it is written in plans.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// Its subject.
            pub fn kind(self) -> CodeKind {
                match self {
                    $(Self::$name => CodeKind::$kind,)+
                }
            }

            /// One line that names the problem.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $doc.trim_ascii(),)+
                }
            }

            /// Its meaning, and what to do.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                }
            }
        }
    };
}

codes! {
    /// The declaration forbids the deactivation (`prevent_deactivation`).
    PreventDeactivation = "PV301", Blocked,
        "The scope stays as it is, and the rest of the plan goes on. If it shall be deactivated \
         after all, take `prevent_deactivation` away in a change of its own and apply that first. The \
         change that takes it away takes nobody's access away either.";
    /// `guards.protect` in portvakt.yaml forbids the deactivation.
    Protected = "PV302", Blocked,
        "The scope stays as it is, and the rest of the plan goes on. If it shall be deactivated \
         after all, remove it from `guards.protect` in a change of its own; --override-guards \
         does not lift this.";
    /// DigDir has not given the organisation the scope's prefix.
    PrefixNotOwned = "PV303", Blocked,
        "A scope can be made below the organisation's own prefixes only, so this one and its \
         accesses wait. Look for a typing error in its name, or ask DigDir for the prefix.";
    /// DigDir has no such delegation source.
    UnknownDelegationSource = "PV304", Blocked,
        "DigDir would refuse the scope, so it is left as it is. Correct `delegation_source`; the \
         plan lists those that DigDir has in this environment.";
    /// It is not clear who would have access again.
    UnclearAccesses = "PV305", Blocked,
        "DigDir keeps the accesses of an inactive scope, and some of this one's cannot be \
         understood: a reactivation could bring them to life unseen. Have them cleared up at \
         DigDir, then plan again.";
    /// Several live clients could be the declared one.
    AmbiguousClient = "PV306", Blocked,
        "DigDir does not make the names and descriptions of clients unique, inactive ones included, \
         and portvakt does not guess. Write `client_id` with the id of the right one into the \
         declaration; ids differ between environments, so it may belong into `per_environment`. The \
         client of a NAIS manifest is known by its description alone: give the others another one.";
    /// The live client is of another integration type.
    ClientType = "PV307", Blocked,
        "`integration_type` can never change. Declare the client as it is, or make a new one under \
         another name and have the old one deactivated when nobody uses it any more.";
    /// There is no client of the pinned id.
    NoSuchClient = "PV308", Blocked,
        "`client_id` pins a client that exists, and the organisation has none of that id in this \
         environment. Correct it, or leave it out to have the client made: DigDir assigns the id.";
    /// Two declarations are one live client.
    ClientTwice = "PV309", Blocked,
        "Both would be written over each other. Keep one of the declarations, or correct the \
         `client_id` or `previous_name` that leads to the other's client.";
    /// A client consumes a scope that the organisation cannot use.
    ScopeNotGranted = "PV310", Blocked,
        "DigDir refuses to put a scope on a client of an organisation that has no access to it. The \
         client is made or updated without the scope, and gets it by an apply after access was granted. If \
         none of its scopes is left, the client waits, and so do its keys if it does not exist yet. Ask \
         the owner of the scope for access, or remove the scope; the plan says who owns it and how the \
         access stands.";
    /// A client consumes a scope that is for other kinds of client.
    ScopeNotForType = "PV311", Blocked,
        "The scope's `allowed_integration_types` does not name the client's `integration_type`, so \
         DigDir refuses it. Use a client of another kind, or have the scope's owner allow this one.";
    /// The pinned client has another name.
    ClientName = "PV312", Blocked,
        "`client_id` pins a live client, and that is called otherwise than the declaration, so the id \
         may be mistaken. Correct it; or write the live name under `previous_name` if that client is \
         meant and shall be renamed.";
    /// It is the client that portvakt itself works with.
    OwnClient = "PV313", Blocked,
        "Without it nothing could be planned or applied any more in this environment. Give portvakt \
         the credentials of another client first.";
    /// NAIS holds what is not declared any more.
    HeldAtNais = "PV314", Blocked,
        "Its live description names an application at NAIS, so that a declaration that is only left out \
         must not close it. Say under `removed` what is to become of it: `action: release` leaves it to \
         the application, `action: deactivate` closes it.";
    /// It is not known what was applied before.
    PastUnknown = "PV315", Blocked,
        "A deactivation cannot be distinguished from a mistake, or from an attack on the refs that git keeps, \
         as long as it is not known what was applied before. `portvakt baseline` shows what is missing \
         and why; `portvakt baseline set COMMIT` names the commit that counts as applied, after showing \
         what that makes removable. An apply with --override-guards and a reason goes on without it.";
    /// Another place declares it, or may do so.
    DeclaredBeside = "PV316", Blocked,
        "Another folder or environment of this git repository declares it for the same API. What was never \
         applied here is left to that place, and what is removed here is not closed: remove it there first, or \
         release it here. What is protected is released once the other place protects it and has applied that. \
         Where the declarations of another folder cannot be read, nobody knows whether it is declared there: \
         correct them first, leave the folder out with `exclude` if it is below this one, or apply with \
         --override-guards and a reason.";
    /// A client consumes a scope of an own prefix that does not exist.
    UnknownScope = "PV319", Blocked,
        "The scope has a prefix of the organisation, and is neither declared nor live. The client is made \
         or updated without it; if none of its scopes is left, the client waits. Correct the name, or \
         declare the scope: a scope that the same plan creates can be consumed. A scope that another \
         repository declares must be applied there first.";
    /// A scope or a client is live and declared nowhere.
    Unmanaged = "PV401", Notice,
        "Nothing is done with it. Declare it to manage it from here, or name it under `removed` \
         to have it deactivated.";
    /// A consumer asks for access.
    AccessRequested = "PV402", Notice,
        "Nothing is done about it. Declare the consumer on the scope to approve, or leave it be.";
    /// DigDir told something that cannot be kept.
    Oddity = "PV403", Notice,
        "What it is about is left as it is, since portvakt cannot tell what it stands for. Look \
         at it in DigDir's self-service, and tell DigDir if it is wrong there.";
    /// A key ends soon, or has ended.
    KeyEnds = "PV404", Notice,
        "A key lives a year at most, and a client without one gets no tokens. `portvakt keys renew` \
         registers the same key for another year, and `portvakt keys rotate` adds another beside it. The key \
         and the certificate that portvakt itself works with are reported too: register the key again in \
         DigDir's self-service, or order another certificate. `keys_policy.warn_before` in portvakt.yaml says \
         how long before.";
    /// A client's scope can be used for others alone.
    ForOthers = "PV405", Notice,
        "The organisation has no access to the scope itself, but consumers can delegate it to a \
         supplier. Whether any has done so shows first when a token is asked for with \
         `--consumer-org`.";
    /// A client has a scope that it cannot use.
    ConsumedInVain = "PV406", Notice,
        "The scope stays on the client as long as it is declared, but Maskinporten refuses tokens \
         with it. Ask the owner for access, or remove the scope.";
    /// The secret of a new client is not kept.
    SecretNotKept = "PV407", Notice,
        "A client that proves itself with a secret gets it from DigDir once, when it is made. \
         portvakt neither shows nor keeps it. `private_key_jwt` does without a secret.";
    /// None of a client's keys stays.
    NoKeyStays = "PV408", Notice,
        "The declared keys replace all that are registered. An application that runs with one of those \
         gets no more tokens. To change keys without a gap, declare the new ones beside the old, apply, \
         give the application a new one, and take the old ones out after that.";
    /// What was declared before is not known.
    HistoryUnknown = "PV409", Notice,
        "What is not known of the past cannot be planned: a scope or client that is not declared any \
         more is left alone, and nothing is shown as drift. Keep the declarations in git, let the job \
         see the remote, and in a shallow clone fetch the commit that the message names. `portvakt \
         baseline` shows what counts as applied, and `portvakt baseline set COMMIT` sets it.";
    /// What was applied last is newer than what is read.
    Behind = "PV410", Notice,
        "The branch lacks commits that were applied already, so its plan would undo them, and an apply \
         refuses it. Bring the branch up to date; to undo what was applied, use `portvakt rollback`.";
    /// The plan was compared with a snapshot.
    FromSnapshot = "PV411", Notice,
        "What has changed at DigDir since the time that it tells is not seen, and the plan that an \
         apply makes may differ. The snapshot is what `portvakt snapshot` wrote; `portvakt plan` \
         without --snapshot compares with what is live.";
    /// What was applied last is not in the history of what is read.
    Diverged = "PV412", Notice,
        "The plan would undo what was applied there and is not declared here. After history was rewritten \
         that may be meant; else bring the branch up to date.";
    /// Something is protected no longer, or a limit is raised.
    LessProtection = "PV413", Notice,
        "By itself this changes nothing at DigDir. Once it has been applied, another change can close \
         what was protected, or do more at once than before: see that this is what is meant.";
    /// Another place declares the same.
    DeclaredTwice = "PV414", Notice,
        "Two folders or environments of this git repository declare the same scopes or clients for the same \
         API. Each applies its own declaration: where the two differ, each apply undoes what the other's did, \
         and takes away what the other gave. Declare each of them in one place.";
    /// A scope or client is deactivated, and a new one looks like it under another name.
    LooksRenamed = "PV419", Notice,
        "The name of a scope cannot be changed at DigDir: the plan deactivates the old scope and makes \
         another one, and each client gets tokens again only when it asks for the new name and the \
         consumer's own registration has it. `portvakt rename OLD NEW` declares the new scope beside the \
         old one, with the same attributes and consumers; remove the old one in a later change, once its \
         clients have moved. The name of a client can be changed: `previous_name` in its declaration says \
         which client it is, also when a rename is reverted. Otherwise a new client with a new id is created, and its \
         application gets no tokens until it uses that id.";
    /// An access ends soon.
    AccessEnds = "PV420", Notice,
        "On the day after, `portvakt apply --due` revokes it, or the next apply. If it is to last longer, \
         write a later `until` and apply that before. `access_policy.warn_before` in portvakt.yaml says how \
         long before the end it is reported.";
    /// A declared access begins later.
    AccessBegins = "PV421", Notice,
        "Before its first day the entry counts as absent. On that day `portvakt apply --due` grants the \
         access, or the next apply.";
    /// A blocked organisation keeps access, as the scope is open to all or not declared.
    BlockedInVain = "PV422", Notice,
        "DigDir does not control access to a scope with `accessible_for_all`: every organisation gets tokens. \
         To keep one out, close the scope and declare the others as its consumers. A scope that is not \
         declared is left as it is, whoever has access to it: declare it, for example with `portvakt import`, \
         and the next apply revokes the access.";
    /// A date asks for a change that `apply --due` leaves alone.
    DueLeftAlone = "PV423", Notice,
        "`apply --due` carries out what dates in the applied declarations ask for. Declarations that were \
         merged since and are not applied yet say otherwise about this access, or its scope is not active or is \
         open to all: apply what is declared. Or another folder or environment has taken the scope over: apply \
         that it is released here. Until then it stays due.";
    /// A date asks for a grant that an interrupted apply may have made, and the access is denied.
    DueUnclear = "PV424", Notice,
        "An apply began to grant the access, as a date asked for it, and did not record its end; the access is \
         denied now. Either it was not granted, or somebody has revoked it since: `apply --due` leaves that to \
         people, and shows it once. From then on the grant is drift, which `portvakt drift` shows and the next \
         apply with a review makes.";
    /// A scope that was open to all is closed, and organisations keep access.
    KeepsAccess = "PV425", Notice,
        "While a scope is open to all, its accesses make no difference. Once it is closed, those who were granted one \
         before keep access: they are declared, and no other action of this plan names them.";
    /// More scopes and clients would be deactivated than `guards.max_deactivations` allows.
    TooManyDeactivations = "PV501", Limit,
        "An apply refuses the whole plan and changes nothing. If that is what is meant, split \
         the change, raise the limit in a change of its own, or apply with --override-guards \
         and a reason.";
    /// More accesses would be revoked than `guards.max_revocations` allows.
    TooManyRevocations = "PV502", Limit,
        "An apply refuses the whole plan and changes nothing. If that is what is meant, split \
         the change, raise the limit in a change of its own, or apply with --override-guards \
         and a reason.";
    /// More would be changed than `guards.max_changed_percent` allows.
    TooMuchChanged = "PV503", Limit,
        "An apply refuses the whole plan and changes nothing. Many changes at once often come \
         from one line, such as a default. If that is what is meant, split the change, raise the \
         limit in a change of its own, or apply with --override-guards and a reason.";
    /// Accesses would be revoked from a scope that is declared here for the first time.
    TakeOver = "PV504", Limit,
        "An apply refuses the whole plan and changes nothing. The scope was live before it was declared, \
         and others granted these accesses. `portvakt import --scope NAME --merge` adds them to the \
         declaration of a scope that stays declared, and lists what it cannot add. A NAIS manifest is \
         edited by hand. A scope that `removed` names keeps its accesses if it is taken out there. If \
         they are to be revoked, apply with --override-guards and a reason.";
    /// More accesses would be granted than `guards.max_grants` allows.
    TooManyGrants = "PV505", Limit,
        "An apply refuses the whole plan and changes nothing. Only accesses to scopes that exist \
         already count, not those to a scope that the same plan creates; those that begin on a later day, or no \
         longer end on one, count too, as nobody is asked again on that day; after an interrupted apply \
         the scopes that it created exist. If that is what is meant, split the change, raise the \
         limit in a change of its own, or apply with --override-guards and a reason.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_reported_in_sentences() {
        let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        for code in Code::ALL {
            assert!(code.title().ends_with('.') && code.meaning().ends_with('.'), "{code}");
        }
    }
}
