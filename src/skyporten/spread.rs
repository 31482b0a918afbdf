//! The consumers of several resources of one kind, as one holds a limited number.

use sha2::{Digest as _, Sha256};

use domain::Orgno;

/// Names that are considered, declared or proposed.
pub(crate) const MOST_NAMES: usize = 50;

type Attraction = [u8; 32];

/// How much a name attracts an organisation.
fn weight(name: &str, consumer: Orgno) -> Attraction {
    Sha256::digest(format!("{name} {consumer}").as_bytes()).into()
}

/// The name among several that an organisation belongs to: the one that attracts it most (rendezvous hashing). It
/// depends on nobody else, so that an organisation that comes or goes moves no other; a name that is added takes
/// some from each of the others, and moves nobody between those.
pub(super) fn assigned(names: &[String], consumer: Orgno) -> Option<&String> {
    match names {
        [only] => Some(only),
        several => several.iter().max_by_key(|name| weight(name, consumer)),
    }
}

/// Names, with the given ones first, to each of which no more of these organisations belong than fit; `None` if no
/// sensible number of names is enough.
pub(super) fn sufficient(
    names: &[String],
    consumers: &[Orgno],
    fits: impl Fn(&str, &[Orgno]) -> bool,
) -> Option<Vec<String>> {
    let base = names.first()?;
    let mut all = names.to_vec();
    let proposed = (2..).map(|number| format!("{base}-{number}"));
    let mut proposed = proposed.filter(|name| !names.contains(name));
    let best = |consumer: &Orgno| {
        let weights = names.iter().map(|name| weight(name, *consumer)).enumerate();
        weights.max_by_key(|(_, weight)| *weight).unwrap_or_default()
    };
    let mut best: Vec<(usize, Attraction)> = consumers.iter().map(best).collect();
    loop {
        let mut own: Vec<Vec<Orgno>> = vec![Vec::new(); all.len()];
        for (consumer, (index, _)) in consumers.iter().zip(&best) {
            own[*index].push(*consumer);
        }
        if all.iter().zip(&own).all(|(name, own)| fits(name, own)) {
            return Some(all);
        }
        if all.len() >= MOST_NAMES {
            return None;
        }
        let name = proposed.next()?;
        for (consumer, best) in consumers.iter().zip(&mut best) {
            let weight = weight(&name, *consumer);
            if weight > best.1 {
                *best = (all.len(), weight);
            }
        }
        all.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> Vec<Orgno> {
        (0..3_000).filter_map(|n| (310_000_000 + n * 1_237).to_string().parse().ok()).collect()
    }

    #[test]
    fn one_that_is_added_moves_nobody_between_the_others() {
        let two = ["a".to_owned(), "b".to_owned()];
        let three = [two.to_vec(), vec!["c".to_owned()]].concat();
        let moved: Vec<_> = numbers()
            .into_iter()
            .filter(|orgno| assigned(&two, *orgno) != assigned(&three, *orgno))
            .collect();
        assert!(moved.iter().all(|orgno| assigned(&three, *orgno) == Some(&three[2])));
        assert!(moved.len() > numbers().len() / 5 && moved.len() < numbers().len() / 2);
    }

    #[test]
    fn enough_names_are_proposed() {
        let all = numbers();
        let names = sufficient(&["a".to_owned()], &all[..45], |_, own| own.len() <= 20).unwrap();
        assert!(names.len() >= 3 && names.starts_with(&["a".to_owned(), "a-2".to_owned()]));
        for name in &names {
            let own = all[..45].iter().filter(|orgno| assigned(&names, **orgno) == Some(name));
            assert!(own.count() <= 20, "{name}");
        }
        assert_eq!(sufficient(&["a".to_owned()], &all, |_, _| false), None);
    }
}
