//! A credential with several forms.
#[derive(CredentialSet)]
enum Login {
    #[auth_type(api_key, bearer_token)]
    Token(Token),
    Oauth(SignedIn),
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::CredentialSet for Login {
        const AUTH_TYPES: &'static [&'static str] = &[
            "api_key",
            "bearer_token",
            "oauth",
        ];
        fn form<'de, D: _omni::Deserializer<'de>>(
            auth_type: &str,
            secret: D,
        ) -> ::core::result::Result<_omni::Option<Self>, D::Error> {
            let form = match auth_type {
                "api_key" | "bearer_token" => {
                    Self::Token(_omni::credential_form::<Token, D>(secret)?)
                }
                "oauth" => Self::Oauth(_omni::credential_form::<SignedIn, D>(secret)?),
                _ => return ::core::result::Result::Ok(_omni::None),
            };
            ::core::result::Result::Ok(_omni::Some(form))
        }
    }
    impl<'de> _omni::Deserialize<'de> for Login {
        fn deserialize<D: _omni::Deserializer<'de>>(
            row: D,
        ) -> ::core::result::Result<Self, D::Error> {
            _omni::credential_set(row)
        }
    }
};
