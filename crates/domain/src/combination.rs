//! DigDir's table of what goes together in a client (its documentation of the integration types).

use super::{ApplicationType, AuthMethod, GrantType, IntegrationType};

/// One row of the table.
#[derive(Debug)]
pub struct Combination {
    /// The kinds of application.
    pub application_types: &'static [ApplicationType],
    /// How clients of these kinds can prove themselves.
    pub methods: &'static [AuthMethod],
    /// Their grants, of which the first one is required.
    pub grants: &'static [GrantType],
}

const MACHINE: [Combination; 1] = [Combination {
    application_types: &[ApplicationType::Web],
    methods: &[AuthMethod::PrivateKeyJwt],
    grants: &[GrantType::JwtBearer],
}];

const LOGIN_GRANTS: &[GrantType] = &[GrantType::AuthorizationCode, GrantType::RefreshToken];

const LOGIN: [Combination; 2] = [
    Combination {
        application_types: &[ApplicationType::Web],
        methods: &[
            AuthMethod::PrivateKeyJwt,
            AuthMethod::ClientSecretBasic,
            AuthMethod::ClientSecretPost,
        ],
        grants: LOGIN_GRANTS,
    },
    Combination {
        application_types: &[ApplicationType::Browser, ApplicationType::Native],
        methods: &[AuthMethod::None],
        grants: LOGIN_GRANTS,
    },
];

impl IntegrationType {
    /// The rows of the table for clients of this type; none where it is not in the table.
    pub fn combinations(self) -> &'static [Combination] {
        match (self.is_machine(), self.has_login()) {
            (true, _) => &MACHINE,
            (false, true) => &LOGIN,
            (false, false) => &[],
        }
    }
}
