//! A credential with several forms.

#[derive(CredentialSet)]
enum Login {
    #[auth_type(api_key, bearer_token)]
    Token(Token),
    Oauth(SignedIn),
}
