//! Azure API Management: a policy fragment with `validate-jwt`
//! (<https://learn.microsoft.com/azure/api-management/validate-jwt-policy>). It was never run on Azure.

use super::{Admitted, GatewayError, GatewayPolicy, RenderedPolicy};
use domain::ScopeName;

/// The variable that holds the verified token.
const TOKEN: &str = "maskinportenToken";

pub(super) fn render(policy: &GatewayPolicy) -> Result<RenderedPolicy, GatewayError> {
    policy.check_no_route("API Management")?;
    let mut out = String::new();
    for line in policy.origin() {
        out.push_str(&format!("<!-- {} -->\n", without_dashes(&line)));
    }
    out.push_str("<fragment>\n");
    out.push_str(&validation(policy));
    if policy.lists_consumers() {
        out.push_str(&authorization(policy));
    }
    out.push_str("</fragment>\n");
    Ok(RenderedPolicy { text: out, unchecked: policy.unchecked() })
}

fn validation(policy: &GatewayPolicy) -> String {
    let mut out = format!(
        "  <validate-jwt header-name=\"Authorization\" require-scheme=\"Bearer\" require-expiration-time=\"true\" \
         require-signed-tokens=\"true\" failed-validation-httpcode=\"401\" \
         failed-validation-error-message=\"Unauthorized\" output-token-variable-name=\"{TOKEN}\">\n    \
         <openid-config url=\"{}\" />\n",
        escaped(&policy.metadata_address())
    );
    if let Some(audience) = &policy.audience {
        out.push_str(&format!(
            "    <audiences>\n      <audience>{}</audience>\n    </audiences>\n",
            escaped(audience)
        ));
    }
    out.push_str(&format!(
        "    <issuers>\n      <issuer>{}</issuer>\n    </issuers>\n    <required-claims>\n      <claim \
         name=\"scope\" match=\"any\" separator=\" \">\n",
        escaped(&policy.issuer)
    ));
    for scope in &policy.scopes {
        out.push_str(&format!("        <value>{}</value>\n", escaped(scope.name.as_str())));
    }
    out.push_str("      </claim>\n    </required-claims>\n  </validate-jwt>\n");
    out
}

/// The check of the consumer, which `required-claims` cannot do, as it compares texts and the claim is an object.
/// That API Management gives the object as JSON is from memory.
fn authorization(policy: &GatewayPolicy) -> String {
    let mut code = format!(
        "var token = (Jwt)context.Variables[\"{TOKEN}\"];\n        \
         var scopes = string.Join(\" \", token.Claims[\"scope\"]).Split(' ');\n        \
         if (!token.Claims.ContainsKey(\"consumer\")) {{ return true; }}\n        \
         var id = (string)JObject.Parse(token.Claims[\"consumer\"][0])[\"ID\"];\n"
    );
    for (admitted, names) in policy.rules() {
        for name in names {
            code.push_str(&format!(
                "        if ({}) {{ return false; }}\n",
                allowed(name, admitted)
            ));
        }
    }
    code.push_str("        return true;");
    format!(
        "  <!-- Not tried on Azure: that the claim `consumer` is given as JSON is from memory. -->\n  <choose>\n    \
         <when condition=\"@{{\n        {}\n      }}\">\n      <return-response>\n        <set-status code=\"403\" \
         reason=\"Forbidden\" />\n      </return-response>\n    </when>\n  </choose>\n",
        escaped(&code)
    )
}

/// The condition under which a token with this scope is let through.
fn allowed(name: &ScopeName, admitted: &Admitted) -> String {
    let has_scope = format!("scopes.Contains({})", literal(name.as_str()));
    let Some(consumers) = admitted.listed() else { return has_scope };
    let ids: Vec<_> = consumers.keys().map(|orgno| literal(&orgno.claim_id())).collect();
    format!("{has_scope} && new string[] {{ {} }}.Contains(id)", ids.join(", "))
}

/// A text as a literal of C#.
fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A text for a comment of XML, which has no two dashes side by side and none at its end.
fn without_dashes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '-' && out.ends_with('-') {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// A text for an attribute or an element of XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
