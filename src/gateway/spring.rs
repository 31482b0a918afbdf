//! Spring Security: properties of the resource server, and the rule for the application's own code
//! (<https://docs.spring.io/spring-security/reference/servlet/oauth2/resource-server/jwt.html>).

use super::{Admitted, GatewayError, GatewayPolicy, RenderedPolicy};
use domain::ScopeName;

const ENGINE: &str = "Spring";

/// The claims that a decision needs, of a request that may have no token and a token that may have no claims.
const CLAIMS: &str = "        (authentication, context) -> {
            if (!(authentication.get() instanceof JwtAuthenticationToken caller)) {
                return new AuthorizationDecision(false);
            }
            var claims = caller.getToken().getClaims();
            var scopes = List.of(claims.get(\"scope\") instanceof String scope ? scope.split(\" \") : new String[0]);
            var id = claims.get(\"consumer\") instanceof Map<?, ?> consumer ? String.valueOf(consumer.get(\"ID\")) : \"\";";

pub(super) fn render(policy: &GatewayPolicy) -> Result<RenderedPolicy, GatewayError> {
    policy.check_no_route(ENGINE)?;
    let mut out: String = policy.origin().iter().map(|line| format!("# {line}\n")).collect();
    let mut set = |key: &str, value: &str| {
        out.push_str(&format!(
            "spring.security.oauth2.resourceserver.jwt.{key}={}\n",
            escaped(value)
        ));
    };
    set("issuer-uri", &policy.issuer);
    set("jwk-set-uri", &policy.keys_address());
    set("jws-algorithms", "RS256");
    if let Some(audience) = &policy.audience {
        set("audiences", audience);
    }
    out.push_str(&hint(policy));
    let mut unchecked = vec![
        "these properties check signature, issuer and expiry, not the scope: the SecurityFilterChain in the comment does"
            .to_owned(),
    ];
    if policy.lists_consumers() {
        unchecked.push(
            "the consumers are not checked by properties: the SecurityFilterChain in the comment does"
                .to_owned(),
        );
    }
    unchecked.extend(policy.unchecked());
    Ok(RenderedPolicy { text: out, unchecked })
}

/// The rule that an application adds, as a comment: properties cannot express it.
fn hint(policy: &GatewayPolicy) -> String {
    let rules = policy.rules();
    let each =
        rules.iter().flat_map(|(admitted, names)| names.iter().map(|name| rule(name, admitted)));
    let mut rules: Vec<_> = each.collect();
    if rules.is_empty() {
        rules.push("false".to_owned());
    }
    let mut lines = vec![
        String::new(),
        "The properties check no scope. The application's SecurityFilterChain does:".to_owned(),
        String::new(),
        "http.oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))".to_owned(),
    ];
    if policy.lists_consumers() {
        lines.push(
            "    .authorizeHttpRequests(requests -> requests.anyRequest().access(".to_owned(),
        );
        lines.extend(CLAIMS.lines().map(str::to_owned));
        lines.push("            return new AuthorizationDecision(".to_owned());
        let last = rules.len().saturating_sub(1);
        for (index, rule) in rules.iter().enumerate() {
            let end = if index == last { ");" } else { " ||" };
            lines.push(format!("                {rule}{end}"));
        }
        lines.push("        }));".to_owned());
    } else {
        let names: Vec<_> =
            policy.scopes.iter().map(|scope| format!("\"SCOPE_{}\"", scope.name)).collect();
        lines.push(format!(
            "    .authorizeHttpRequests(requests -> requests.anyRequest().hasAnyAuthority({}));",
            names.join(", ")
        ));
    }
    lines.iter().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect()
}

fn rule(name: &ScopeName, admitted: &Admitted) -> String {
    let has_scope = format!("scopes.contains(\"{name}\")");
    let Some(consumers) = admitted.listed() else { return has_scope };
    let ids: Vec<_> = consumers.keys().map(|orgno| format!("\"{}\"", orgno.claim_id())).collect();
    format!("{has_scope} && List.of({}).contains(id)", ids.join(", "))
}

/// A value of a properties file.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
}
