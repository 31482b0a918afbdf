//! Shares of cloud resources: `skyporten`.

use insta::assert_snapshot;

use super::{SETTINGS, check, check_one, folder, load_one, said};
use crate::declare::diagnostic::rule::Rule;
use crate::skyporten::TrustingCloud;

const SCOPE: &str = "scopes: [{ name: 'etat:lager.read', description: d, environments: [sandbox], \
                     consumers: ['974761076'] }]\n";

/// A share with more lines, on a scope with a consumer.
fn share(more: &str) -> String {
    format!(
        "{SCOPE}skyporten:\n- name: lager-les\n  scope: etat:lager.read\n  audience: https://a.example\n  \
         environments: [sandbox]\n{more}"
    )
}

const AWS: &str = "  aws: { account: '123456789012', role: lager }\n";

#[test]
fn names_are_those_of_the_clouds() {
    let wrong = share(
        "  azure: { identity: [a b, abc, ABC], resource_group: 'a/b', subscription: prod }\n  \
           gcp: { project_number: etat, pool: gcp-x, provider: x, service_account: lager@etat.no, role: roles/x }\n  \
           aws: { account: 'arn:aws', role: 'a/b' }\n  \
           databricks: { workspace: 'https://a.b', recipient: \"a'b\" }\n",
    );
    assert_snapshot!(said(&check_one(&wrong)), @r#"
    a.yaml:7:23: PV171: `a b` is not possible here
      help: write the name of a managed identity: 3 to 128 letters a to z, digits, `-` and `_`, beginning with a letter or digit
    a.yaml:7:33: PV171: `ABC` is in the list twice
      help: keep one of them
    a.yaml:7:55: PV171: `a/b` is not possible here
      help: write the name of a resource group: up to 90 letters, digits, `_`, `-`, `.` and parentheses, without `.` at its end
    a.yaml:7:76: PV171: `prod` is not possible here
      help: write the id of a subscription, such as `00000000-0000-0000-0000-000000000000`
    a.yaml:8:26: PV171: `etat` is not possible here
      help: write the number of a project in quotes, such as `"123456789012"`, not its id
    a.yaml:8:38: PV171: `gcp-x` is not possible here
      help: write 4 to 32 lower-case letters, digits and `-`, beginning with a letter or digit, and not with `gcp-`, which Google keeps for itself
    a.yaml:8:55: PV171: `x` is not possible here
      help: write 4 to 32 lower-case letters, digits and `-`, beginning with a letter or digit, and not with `gcp-`, which Google keeps for itself
    a.yaml:8:75: PV171: `lager@etat.no` is not possible here
      help: write the address of a service account, such as `lager@etat.iam.gserviceaccount.com`
    a.yaml:8:96: PV012: `role` is the one on a bucket: on a service account it is always roles/iam.workloadIdentityUser
      help: remove it
    a.yaml:9:19: PV171: `arn:aws` is not possible here
      help: write the twelve digits of an account in quotes, such as `"123456789012"`
    a.yaml:9:36: PV171: `a/b` is not possible here
      help: write the name of a role, not its ARN: up to 64 letters a to z, digits, `-` and `_`
    a.yaml:10:28: PV171: `https://a.b` is not possible here
      help: write the host of a workspace without `https://`, such as `adb-1234567890123456.7.azuredatabricks.net`
    a.yaml:10:54: PV171: `a'b` is not possible here
      help: write the name of a recipient: letters a to z, digits, `-`, `_` and `.`
    "#);
}

#[test]
fn keys_go_together() {
    assert_snapshot!(said(&check_one(&share(""))), @r"
    a.yaml:3:9: PV011: no cloud is named
      help: add `azure`, `gcp`, `aws` or `databricks`, or several of them
    ");
    let wrong = share(
        "  gcp: { project_number: '1', pool: pool, provider: prov, service_account: l@e.iam.gserviceaccount.com, bucket: abc }\n  \
           per_environment: { test: {}, nei: {}, sandbox: { gcp: { project_number: '1', pool: pool, provider: prov } } }\n",
    );
    assert_snapshot!(said(&check_one(&wrong)), @r"
    a.yaml:7:113: PV012: `service_account` and `bucket` exclude each other
      help: write an entry of its own for each, with a name of its own
    a.yaml:8:22: PV120: warning: this override is for an environment in which the entry does not count
      help: add the environment to the entry's `environments`, or remove the override
    a.yaml:8:32: PV106: there is no environment `nei`
      help: portvakt.yaml has `prod`, `sandbox`, `test`
    a.yaml:8:86: PV011: no resource is named
      help: add `service_account: …` or `bucket: …`
    ");
    let mapping = format!("{SCOPE}skyporten: {{ name: lager-les }}\n");
    assert_snapshot!(said(&check_one(&mapping)), @r"
    a.yaml:2:12: PV012: expected a list, found a mapping
      help: write each entry as `- { name: …, scope: …, audience: …, azure: … }`
    ");
}

#[test]
fn an_audience_is_an_absolute_uri() {
    for wrong in ["lager", "https://a#b", "'https://a b'", "https://a,b", "'${a}:b'"] {
        let yaml = share(AWS).replace("https://a.example", wrong);
        let found = check_one(&yaml);
        assert_eq!(found[0].code, Rule::ShareAudience, "{wrong}: {}", said(&found));
    }
}

#[test]
fn a_scope_is_declared_here() {
    let near = share(AWS).replace("scope: etat:lager.read", "scope: etat:lagre.read");
    assert_snapshot!(said(&check_one(&near)), @r"
    a.yaml:4:10: PV156: warning: `etat:lagre.read` is not declared here, so its consumers are not known
      help: did you mean `etat:lager.read`? declare the scope with its consumers here, or move the entry to the repository that declares it
    ");
    let foreign = share(AWS).replace("scope: etat:lager.read", "scope: skatt:lager.read");
    assert_snapshot!(said(&check_one(&foreign)), @r"
    a.yaml:4:10: PV156: `skatt:lager.read` is a scope of another organisation
      help: did you mean `etat:lager.read`? only the owner of a scope knows its consumers: name a scope that begins with `etat` and is declared here
    ");
    let odd = share(AWS).replace("etat:lager.read", "etat:$a");
    assert_snapshot!(said(&check_one(&odd)), @r"
    a.yaml:4:10: PV171: `etat:$a` has characters that are more than text in the policies of clouds
      help: use a scope of letters, digits, `:`, `/`, `.`, `_` and `-`
    ");
    // Where something could not be read, it may be there.
    let broken = format!("{near}---\nscopes: [{{ description: d }}]\n");
    assert!(check_one(&broken).iter().all(|found| found.code != Rule::ShareScope));
}

#[test]
fn nothing_wrong_with_a_share_hides_an_access() {
    for wrong in [
        share("  azure: {}\n"),
        share("  aws: { role: lager }\n  enviroments: [nei]\n"),
        share(AWS).replace("  scope: etat:lager.read\n", ""),
        share(AWS).replace("- name: lager-les\n  scope", "- scope"),
        format!("{SCOPE}skyporten: nei\n"),
        format!("{}{}", share(AWS), AWS.replace("  aws", "- aws")),
    ] {
        let repository = load_one(&wrong);
        assert!(repository.desired("sandbox", super::TODAY).is_err(), "{wrong}");
        assert!(
            repository.desired_before("sandbox").is_ok(),
            "{wrong}: {}",
            said(&check_one(&wrong))
        );
    }
}

#[test]
fn names_and_resources_are_of_one_share() {
    let second = "- name: Lager-Les\n  scope: etat:lager.read\n  audience: https://b.example\n  \
                  environments: [sandbox]\n  aws: { account: '123456789012', role: [annen, LAGER] }\n";
    assert_snapshot!(said(&check_one(&(share(AWS) + second))), @r"
    a.yaml:7:41: PV159: another entry names the role `lager` of the account 123456789012 too
      a.yaml:12:41: the other entry
      help: keep one of the two, or name another resource
    a.yaml:8:9: PV159: the entry of `skyporten` `lager-les` is declared twice
      a.yaml:3:9: first declared here
      help: rename one of them, or give the two `environments` that do not overlap
    ");
    let gcp = "  gcp: { project_number: '1', pool: pool, provider: prov, bucket: abc }\n";
    let second = format!(
        "- {{ name: annen, scope: 'etat:lager.read', audience: 'https://a.example', environments: [sandbox],\n{} }}\n",
        gcp.trim_end().replace("prov,", "annen,")
    );
    assert_snapshot!(said(&check_one(&(share(gcp) + &second))), @r"
    a.yaml:7:67: PV159: another entry names the role `roles/storage.objectViewer` on the bucket `abc` with the same scope too
      a.yaml:9:68: the other entry
      help: keep one of the two, or name another resource
    ");
    // The same provider for another resource is one provider.
    let other = second
        .replace("annen,", "prov,")
        .replace("bucket: abc", "bucket: abcd")
        .replace("name: prov,", "name: annen,");
    assert_eq!(said(&check_one(&(share(gcp) + &other))), "");
}

/// Numbers of organisations of the test environment.
fn numbers(count: usize) -> String {
    let all = (31_000_000..).step_by(7).map(|first: u32| first.to_string());
    let all = all.flat_map(|first| (0..10).map(move |last| format!("{first}{last}")));
    let all = all.filter(|number| number.parse::<domain::Orgno>().is_ok()).take(count);
    all.map(|number| format!("'{number}'")).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_help_for_a_limit_is_a_list_that_is_long_enough() {
    let azure = "  azure: { identity: lager, resource_group: data, subscription: 00000000-0000-0000-0000-000000000000 }\n";
    for (count, cloud) in [(21, azure), (90, azure), (60, AWS)] {
        let yaml = share(cloud).replace("'974761076'", &numbers(count));
        let found = check_one(&yaml);
        let [one] = &found[..] else { panic!("{}", said(&found)) };
        assert_eq!(one.code, Rule::CloudLimit);
        let help = one.help.as_ref().unwrap();
        let (_, list) = help.split_once('`').unwrap();
        let (line, _) = list.split_once('`').unwrap();
        let key = line.split_once(':').unwrap().0;
        let pasted = yaml.replace(&format!("{key}: lager"), line);
        assert_ne!(pasted, yaml);
        assert_eq!(said(&check_one(&pasted)), "", "{line}");
    }
    // The list counts what other shares have on the identity.
    let both = format!(
        "scopes:\n- {{ name: 'etat:a', description: d, environments: [sandbox], consumers: [{}] }}\n\
         - {{ name: 'etat:b', description: d, environments: [sandbox], consumers: [{}] }}\n\
         skyporten:\n- name: aaa\n  scope: etat:a\n  audience: https://a.example\n  environments: [sandbox]\n{azure}\
         - name: bbb\n  scope: etat:b\n  audience: https://a.example\n  environments: [sandbox]\n{azure}",
        numbers(15),
        numbers(6)
    );
    assert_snapshot!(said(&check_one(&both)), @r"
    a.yaml:14:22: PV170: in `sandbox` the identity `lager` would have 21 federated credentials, one for each consumer, and Azure allows 20
      help: write `identity: [lager, lager-2]`, and create those identities: each consumer gets one of them, and some get another one than before
    ");
}

#[test]
fn a_wrong_number_of_the_organisation_hides_no_limit() {
    let azure = "  azure: { identity: lager, resource_group: data, subscription: 00000000-0000-0000-0000-000000000000 }\n";
    let yaml = share(azure).replace("'974761076'", &numbers(21));
    let settings = SETTINGS.replace("889640782", "889640783");
    assert_ne!(settings, SETTINGS);
    let files: [(&str, &[u8]); 2] =
        [("portvakt.yaml", settings.as_bytes()), ("a.yaml", yaml.as_bytes())];
    let found = check(folder(&files).path());
    assert!(found.iter().any(|found| found.code == Rule::CloudLimit), "{}", said(&found));
}

#[test]
fn consumers_count_together_on_the_days_that_they_have_in_common() {
    let azure = "  azure: { identity: lager, resource_group: data, subscription: 00000000-0000-0000-0000-000000000000 }\n";
    let with = |first: &str, second: &str| {
        let all = numbers(30);
        let days = std::iter::repeat_n(first, 15).chain(std::iter::repeat_n(second, 15));
        let entries = all.split(", ").zip(days);
        let entries = entries.map(|(number, days)| format!("{{ consumer: {number}, {days} }}"));
        share(azure).replace("'974761076'", &entries.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(said(&check_one(&with("until: 2026-12-31", "from: 2027-01-01"))), "");
    assert_snapshot!(said(&check_one(&with("until: 2027-01-01", "from: 2027-01-01"))), @r"
    a.yaml:7:22: PV170: in `sandbox` from 2027-01-01 the identity `lager` would have 30 federated credentials, one for each consumer, and Azure allows 20
      help: write `identity: [lager, lager-2]`, and create those identities: each consumer gets one of them, and some get another one than before
    ");
    // An entry that begins later is one of somebody.
    let one = share(AWS).replace("'974761076'", "{ consumer: '974761076', from: 2027-01-01 }");
    assert_eq!(said(&check_one(&one)), "");
}

#[test]
fn other_limits_are_reported_with_their_number() {
    let long = format!("etat:{}", "a".repeat(110));
    let gcp = "  gcp: { project_number: '1', pool: pool, provider: prov, bucket: abc }\n";
    let yaml = share(gcp).replace("etat:lager.read", &long);
    assert_snapshot!(said(&check_one(&yaml)), @r"
    a.yaml:7:67: PV170: in `sandbox` the attribute of a consumer would have a length of 139, and Google Cloud allows 127
      help: use a scope with a shorter name
    ");
    let long = format!("https://a.example/{}", "a".repeat(600));
    let azure = "  azure: { identity: lager, resource_group: data, subscription: 00000000-0000-0000-0000-000000000000 }\n";
    let yaml = share(&format!("{gcp}{azure}")).replace("https://a.example", &long);
    assert_snapshot!(said(&check_one(&yaml)), @r"
    a.yaml:7:67: PV170: in `sandbox` the audience would have a length of 618, and Google Cloud allows 256
      help: use a shorter audience
    a.yaml:8:22: PV170: in `sandbox` the audience would have a length of 618, and Azure allows 600
      help: use a shorter audience
    ");
    let mut many = share(gcp);
    for number in 0..10 {
        many.push_str(&format!(
            "- {{ name: more-{number}, scope: 'etat:lager.read', audience: 'https://{number}.example', \
             environments: [sandbox], gcp: {{ project_number: '1', pool: pool, provider: prov, bucket: b-{number} }} }}\n"
        ));
    }
    let mut found = check_one(&many);
    found.retain(|found| found.code == Rule::CloudLimit);
    assert_snapshot!(said(&found), @r"
    a.yaml:17:165: PV170: in `sandbox` the provider `prov` would have 11 audiences, and Google Cloud allows 10
      help: let shares have the same audience, or name another `provider`
    ");
}

#[test]
fn a_pool_does_not_keep_audiences_apart() {
    let gcp = "  gcp: { project_number: '1', pool: pool, provider: prov, bucket: abc }\n";
    let second = "- name: annen\n  scope: etat:lager.read\n  audience: https://b.example\n  \
                  environments: [sandbox]\n  \
                  gcp: { project_number: '1', pool: pool, provider: annen, bucket: abcd }\n";
    let found = check_one(&(share(gcp) + second));
    assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), [Rule::PoolAudiences]);
    let apart = second.replace("pool: pool", "pool: pool-2");
    assert_eq!(said(&check_one(&(share(gcp) + &apart))), "");
}

#[test]
fn an_entry_that_no_token_can_fit_is_reported() {
    for attribute in [
        "enforced_aud_for_access_token: 'https://b.example'",
        "token_type: OPAQUE",
        "allowed_integration_types: [ansattporten]",
    ] {
        let found = check_one(
            &share(AWS).replace("description: d", &format!("description: d, {attribute}")),
        );
        assert!(
            found.iter().any(|it| it.code == Rule::UnfitToken),
            "{attribute}: {}",
            said(&found)
        );
    }
    let same = "description: d, enforced_aud_for_access_token: 'https://a.example'";
    assert_eq!(said(&check_one(&share(AWS).replace("description: d", same))), "");
}

#[test]
fn who_is_blocked_or_whose_access_has_ended_does_not_count() {
    let ended = share(AWS).replace("'974761076'", "{ consumer: '974761076', until: 2020-01-01 }");
    let codes = |yaml: &str| {
        let found = check_one(yaml);
        let mut codes: Vec<_> = found.iter().map(|found| found.code.code()).collect();
        codes.sort_unstable();
        codes
    };
    assert!(codes(&ended).contains(&"PV157"), "{}", said(&check_one(&ended)));
    let blocked = format!("blocked: [{{ consumer: '974761076', reason: SAK-1 }}]\n{}", share(AWS));
    assert_eq!(codes(&blocked), ["PV157", "PV161"]);
}

#[test]
fn environments_without_consumers_and_with_the_same_resource_are_reported() {
    let yaml = "consumers: { a: { orgno: '974761076', environments: [prod] } }\n\
        scopes: [{ name: 'etat:lager.read', description: d, consumers: [a] }]\n\
        skyporten:\n- name: lager-les\n  scope: etat:lager.read\n  audience: https://a.example\n  \
        aws: { account: '123456789012', role: lager }\n";
    assert_snapshot!(said(&check_one(yaml)), @r"
    a.yaml:5:10: PV157: note: in `sandbox` nobody is declared on `etat:lager.read`
      help: nobody reaches the resources there until a consumer is declared
    a.yaml:5:10: PV157: note: in `test` nobody is declared on `etat:lager.read`
      help: nobody reaches the resources there until a consumer is declared
    a.yaml:7:41: PV173: the role `lager` of the account 123456789012 would trust the tokens of `prod` and of `test`
      a.yaml:7:41: the first environment has it from here
      help: name another one for one of the two in `per_environment`, or restrict the entry by `environments`
    ");
    let apart = format!(
        "{yaml}  per_environment: {{ test: {{ aws: {{ account: '123456789012', role: lager-test }} }} }}\n"
    );
    assert!(check_one(&apart).iter().all(|found| found.code == Rule::ShareForNobody));
    let elsewhere = share(AWS).replace("  environments: [sandbox]\n", "  environments: [test]\n");
    assert_snapshot!(said(&check_one(&elsewhere)), @r"
    a.yaml:4:10: PV172: warning: no environment in which this entry counts has the scope
      help: add an environment of the scope to `environments`, or remove the entry
    ");
}

#[test]
fn an_identity_of_one_environment_is_not_trusted_with_tokens_of_another() {
    let scopes = "scopes: [{ name: 'etat:a', description: d, consumers: ['974761076'] }]\n";
    let both = |test: &str, prod: &str| {
        let entry = |environment: &str, cloud: &str| {
            format!(
                "- {{ name: lager-{environment}, scope: 'etat:a', audience: 'https://a.example', \
                 environments: [{environment}], {cloud} }}\n"
            )
        };
        let yaml = format!("{scopes}skyporten:\n{}{}", entry("test", test), entry("prod", prod));
        let found = check_one(&yaml);
        let of_rule = found.iter().filter(|found| found.code == Rule::SharedByEnvironments);
        of_rule
            .map(|found| {
                assert!(found.is_error(), "{}", found.message);
                found.message.clone()
            })
            .collect::<Vec<_>>()
    };
    let gcp = |pool: &str, provider: &str, resource: &str| {
        format!("gcp: {{ project_number: '1', pool: {pool}, provider: {provider}, {resource} }}")
    };
    let (one, other) = ("bucket: etat-test", "bucket: etat-prod");
    let account = "service_account: lager@etat.iam.gserviceaccount.com";
    let azure = |identity: &str| {
        format!(
            "azure: {{ identity: {identity}, resource_group: data, \
             subscription: 00000000-0000-0000-0000-000000000000 }}"
        )
    };
    let databricks = |recipient: &str| {
        format!("databricks: {{ workspace: adb-1.2.azuredatabricks.net, recipient: {recipient} }}")
    };
    for (test, prod, what) in [
        // The principals of a pool name no provider, so that either of them can issue the same one.
        (gcp("pool", "test", one), gcp("pool", "prod", other), "the pool `pool` of the project 1"),
        (
            gcp("test", "test", account),
            gcp("prod", "prod", account),
            "the service account `lager@etat.iam.gserviceaccount.com`",
        ),
        (azure("lager"), azure("[annen, LAGER]"), "the identity `lager`"),
        (databricks("lager"), databricks("lager"), "the recipient `lager`"),
    ] {
        let expected = format!("{what} would trust the tokens of `prod` and of `test`");
        assert_eq!(both(&test, &prod), [expected]);
    }
    for (test, prod) in [
        (gcp("test", "same", one), gcp("prod", "same", other)),
        (azure("lager-test"), azure("lager")),
        (databricks("lager-test"), databricks("lager")),
    ] {
        assert_eq!(both(&test, &prod), [""; 0]);
    }
}

#[test]
fn a_pool_of_two_environments_is_reported_where_it_is_written() {
    let gcp = |pool: &str| {
        format!("gcp: {{ project_number: '1', pool: {pool}, provider: prov, bucket: etat-lager }}")
    };
    let yaml = |test: &str| {
        format!(
            "scopes: [{{ name: 'etat:a', description: d, consumers: ['974761076'] }}]\n\
             skyporten:\n- name: lager\n  scope: etat:a\n  audience: https://a.example\n  \
             environments: [prod, test]\n  {}\n  per_environment: {{ test: {{ {} }} }}\n",
            gcp("pool"),
            gcp(test),
        )
    };
    assert_snapshot!(said(&check_one(&yaml("pool"))), @r"
    a.yaml:8:64: PV173: the pool `pool` of the project 1 would trust the tokens of `prod` and of `test`
      a.yaml:7:37: the first environment has it from here
      help: name another one for one of the two in `per_environment`, or restrict the entry by `environments`
    ");
    assert_eq!(said(&check_one(&yaml("pool-test"))), "");
}

#[test]
fn so_many_consumers_of_so_many_shares_are_refused() {
    let mut many = format!("groups: {{ all: [{}] }}\n", numbers(1_000));
    many.push_str(&share(AWS).replace("['974761076']", "[{ group: all }]"));
    for number in 0..100 {
        many.push_str(&format!(
            "- {{ name: more-{number}, scope: 'etat:lager.read', audience: 'https://a.example', \
             environments: [sandbox], aws: {{ account: '123456789012', role: r-{number} }} }}\n"
        ));
    }
    let found = check_one(&many);
    assert_eq!(found[0].code, Rule::TooManyAccesses, "{}", said(&found));
}

#[test]
fn a_comment_silences_a_warning() {
    let yaml = share(AWS)
        .replace("consumers: ['974761076']", "consumers: []")
        .replace("- name: lager-les", "# portvakt: allow PV157 -- from January\n- name: lager-les");
    assert_eq!(said(&check_one(&yaml)), "");
}

#[test]
fn an_environment_has_its_own_resources() {
    let yaml = share(AWS)
        .replace("  environments: [sandbox]\n", "")
        .replace(", environments: [sandbox]", "")
        + "  per_environment:\n    test: { audience: 'https://b.example', aws: { account: '123456789012', role: annen } }\n";
    let files = [("portvakt.yaml", super::SETTINGS.as_bytes()), ("a.yaml", yaml.as_bytes())];
    let folder = folder(&files);
    assert!(check(folder.path()).iter().all(|found| !found.is_error()));
    let repository = crate::declare::load(folder.path()).unwrap();
    let roles = |environment: &str| {
        let share = repository.shares(environment).remove(0);
        (share.audience, share.clouds.aws.unwrap().roles)
    };
    assert_eq!(roles("sandbox"), ("https://a.example".to_owned(), vec!["lager".to_owned()]));
    assert_eq!(roles("test"), ("https://b.example".to_owned(), vec!["annen".to_owned()]));
    assert_eq!(TrustingCloud::ALL.len(), 4);
}
