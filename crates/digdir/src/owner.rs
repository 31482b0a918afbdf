//! Whose the prefixes and scopes are that the API lists as the organisation's own.

use super::call::Call;
use super::error::{Error, ErrorKind};
use domain::Orgno;

/// The organisation that the prefixes and scopes must belong to, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedOwner {
    /// Its number.
    pub orgno: Orgno,
    /// Such as `settings.yaml:1:24`.
    pub place: String,
}

/// An owner that is not the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerMismatch {
    /// The organisation number that DigDir names.
    pub found: String,
    /// The one that was expected; `None` where entries of one list are of several organisations.
    pub expected: Option<ExpectedOwner>,
}

/// Checks that all entries of a list belong to the expected organisation, or to the same where none is
/// expected: else the client is another organisation's, and what is declared is not about its scopes.
/// An entry that does not say whose it is is not checked.
pub(super) fn check<'e>(
    call: &Call<'_>,
    expected: Option<&ExpectedOwner>,
    entries: impl IntoIterator<Item = (String, Option<&'e str>)>,
) -> Result<(), Error> {
    let mut first: Option<&str> = None;
    for (entity, owner) in entries {
        let Some(owner) = owner.map(plain).filter(|owner| !owner.is_empty()) else { continue };
        let wanted =
            expected.map_or(*first.get_or_insert(owner), |expected| expected.orgno.as_str());
        if owner != wanted {
            return Err(other(call, &entity, owner, wanted, expected));
        }
    }
    Ok(())
}

/// The number, without the scheme that DigDir's tokens write before it (ISO 6523).
fn plain(owner: &str) -> &str {
    owner.trim().trim_start_matches("0192:")
}

fn other(
    call: &Call<'_>,
    entity: &str,
    owner: &str,
    wanted: &str,
    expected: Option<&ExpectedOwner>,
) -> Error {
    let mut place = call.place();
    place.entity = entity.to_owned();
    let why = match expected {
        Some(ExpectedOwner { orgno, place }) => {
            format!("DigDir names {owner} as its owner, and {place} names {orgno}")
        }
        None => {
            format!("DigDir names {owner} as its owner, and {wanted} as that of others in the list")
        }
    };
    let mismatch = OwnerMismatch { found: owner.to_owned(), expected: expected.cloned() };
    Error::new(ErrorKind::OtherOrganization, &place, why).with_owner(mismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_say_whose_they_are_must_agree() {
        let expected =
            ExpectedOwner { orgno: "889640782".parse().unwrap(), place: "x.yaml:1:2".to_owned() };
        let (own, other) = ("889640782", "974761076");
        for (owners, known, unknown) in [
            (vec![], true, true),
            (vec![None, Some(""), Some(" ")], true, true),
            (vec![Some(own), None, Some(own)], true, true),
            (vec![Some("0192:889640782"), Some(" 889640782 ")], true, true),
            (vec![Some(other)], false, true),
            (vec![None, Some(own), Some(other)], false, false),
            (vec![Some("8896407820")], false, true),
        ] {
            let entries = || owners.iter().map(|owner| ("scope etat:a".to_owned(), *owner));
            let call = Call::scopes();
            let checked = check(&call, Some(&expected), entries());
            assert_eq!(checked.is_ok(), known, "{owners:?}");
            assert_eq!(check(&call, None, entries()).is_ok(), unknown, "{owners:?}");
            if let Err(error) = checked {
                assert_eq!(error.kind(), ErrorKind::OtherOrganization);
                let reported = error.to_string();
                assert!(reported.contains("x.yaml:1:2") && reported.contains(own), "{reported}");
            }
        }
    }
}
