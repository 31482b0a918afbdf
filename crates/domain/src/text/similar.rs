//! 'Did you mean': the known name nearest to the written one.

/// Longer names are not compared: the cost of a distance is the product of the two lengths.
const LONGEST: usize = 64;

/// The candidates that are near enough to `name`, each with its distance; upper and lower case are equal.
fn near<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> impl Iterator<Item = (usize, &'c str)> {
    let short = (name.len() <= LONGEST).then(|| name.to_lowercase());
    candidates.into_iter().filter_map(move |candidate| {
        let name = short.as_deref()?;
        let allowed = (name.chars().count() / 3).clamp(1, 3);
        if candidate.len().abs_diff(name.len()) > 2 * allowed {
            return None;
        }
        let distance = strsim::osa_distance(name, &candidate.to_lowercase());
        let is_near = distance <= allowed && distance < name.chars().count();
        is_near.then_some((distance, candidate))
    })
}

/// The candidate nearest to `name`.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let near = near(name, candidates.iter().copied()).min();
    near.map(|(_, candidate)| candidate).or_else(|| longer_or_shorter(name, &candidates))
}

/// The only candidate that begins like the name, if one of the two is shortened.
fn longer_or_shorter<'c>(name: &str, candidates: &[&'c str]) -> Option<&'c str> {
    /// Shorter names are the beginning of too many words.
    const SHORTEST: usize = 4;
    let name = name.to_lowercase();
    let is_cut = |long: &str, short: &str| short.len() >= SHORTEST && long.starts_with(short);
    let mut alike = candidates.iter().filter(|candidate| {
        let other = candidate.to_lowercase();
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        name.chars().all(plain) && (is_cut(&name, &other) || is_cut(&other, &name))
    });
    let (only, None) = (alike.next()?, alike.next()) else {
        return None;
    };
    Some(only)
}

/// The candidate that is near to `name`, if there is only one.
pub fn only_near<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let mut near = near(name, candidates);
    let (_, only) = near.next()?;
    near.next().is_none().then_some(only)
}

/// Whether two names are alike: at most half of the longer one differs. Two texts of which one is long are
/// not compared.
pub fn are_alike(one: &str, other: &str) -> bool {
    let longest = one.chars().count().max(other.chars().count());
    one.len().max(other.len()) <= LONGEST && strsim::osa_distance(one, other) * 2 <= longest
}

/// `did you mean …?` and a space, or nothing.
pub fn did_you_mean<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    match nearest(name, candidates) {
        Some(candidate) => format!("did you mean `{candidate}`? "),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names_are_suggested() {
        let known = ["skatteetaten", "kartverket", "nav"];
        assert_eq!(nearest("skattetaten", known), Some("skatteetaten"));
        assert_eq!(nearest("NAV", known), Some("nav"));
        assert_eq!(nearest("politiet", known), None);
        assert_eq!(nearest("produksjon", ["prod", "test"]), Some("prod"));
        assert_eq!(nearest("skatt", known), Some("skatteetaten"));
        assert_eq!(nearest("skat", ["skatteetaten", "skatteklagenemnda"]), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), known), None);
    }

    #[test]
    fn names_are_alike_that_differ_by_half() {
        assert!(are_alike("aareg.read", "aareg.les"));
        assert!(are_alike("arbeid:aareg.read", "arbeidsforhold:aareg.read"));
        assert!(!are_alike("aareg.read", "lager.skriv"));
        assert!(!are_alike(&"x".repeat(100), &"x".repeat(100)));
    }
}
