use super::super::{Config, ConfigErrors};
use super::*;

fn parse(providers: &str) -> Result<Config, ConfigErrors> {
    Config::parse(&format!(r#"{{"providers": {providers}}}"#))
}

fn faults(providers: &str) -> String {
    parse(providers).expect_err(providers).to_string()
}

fn summary(provider: &ProviderConfig) -> String {
    let url = provider.base_url.as_ref().map_or("-", BaseUrl::as_str);
    let secret = provider.secret.as_ref().map_or("-".to_owned(), SecretRef::to_string);
    format!("{} {url} {secret} {}", provider.dialect, provider.local)
}

#[test]
fn providers_are_known_by_name_without_configuration() {
    let config = Config::default();
    let google = "openai https://generativelanguage.googleapis.com/v1beta/openai env:GEMINI_API_KEY false";
    for (name, expected) in [
        ("openai", "openai https://api.openai.com/v1 env:OPENAI_API_KEY false"),
        ("anthropic", "anthropic https://api.anthropic.com/v1 env:ANTHROPIC_API_KEY false"),
        ("google", google),
        ("mistral", "openai https://api.mistral.ai/v1 env:MISTRAL_API_KEY false"),
        ("bedrock", "bedrock - - false"),
        ("meta", "bedrock - - false"),
    ] {
        let provider = config.provider(name).expect(name);
        assert_eq!((provider.name.as_str(), summary(&provider)), (name, expected.to_owned()));
    }
    assert_eq!(config.provider("demo"), None);
}

#[test]
fn a_configured_provider_wins_over_the_known_one_of_its_name() {
    for (name, entry, expected) in [
        ("openai", r#"{"secret": "env:TEAM"}"#, "openai https://api.openai.com/v1 env:TEAM false"),
        (
            "openai",
            r#"{"base_url": "https://proxy.example.com"}"#,
            "openai https://proxy.example.com - false",
        ),
        (
            "meta",
            r#"{"base_url": "https://llama.example.com/v1"}"#,
            "openai https://llama.example.com/v1 - false",
        ),
        (
            "bedrock",
            r#"{"base_url": "https://vpce.example.com"}"#,
            "bedrock https://vpce.example.com - false",
        ),
        (
            "demo",
            r#"{"base_url": "http://127.0.0.1:9/v1/", "local": true}"#,
            "openai http://127.0.0.1:9/v1 - true",
        ),
        (
            "eu",
            r#"{"dialect": "anthropic", "base_url": "https://a.example.com", "secret": "secretsmanager:eu/key"}"#,
            "anthropic https://a.example.com secretsmanager:eu/key false",
        ),
        ("eu", r#"{"dialect": "bedrock"}"#, "bedrock - - false"),
    ] {
        let config = parse(&format!(r#"{{"{name}": {entry}}}"#)).expect(entry);
        assert_eq!(summary(&config.provider(name).expect(name)), expected);
    }
}

#[test]
fn faults_of_a_provider_name_their_place() {
    for (entry, expected) in [
        (r#"{"eu": {}}"#, "providers.eu.base_url: is needed for the dialect openai"),
        (r#"{"meta": {"dialect": "openai"}}"#, "providers.meta.base_url: is needed for the dialect openai"),
        (
            r#"{"eu": {"base_url": "https://10.0.0.1"}}"#,
            "providers.eu.base_url: leads to a private, loopback or reserved address, which takes \"local\": true",
        ),
        (
            r#"{"eu": {"base_url": "http://10.0.0.1", "local": true}}"#,
            "providers.eu.base_url: must be https unless the host is localhost",
        ),
        (
            r#"{"EU": {"base_url": "https://a.example.com"}}"#,
            "providers.EU: a provider's name has 1 to 64 characters of a-z, 0-9, - and _",
        ),
        (
            r#"{"eu": {"base_ulr": "https://a.example.com", "dialect": "bedrock"}}"#,
            "providers.eu.base_ulr: \"base_ulr\" is not a known key; the nearest known name is \"base_url\"",
        ),
    ] {
        assert_eq!(faults(entry), expected);
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_never_quoted() {
    let misplaced = r#"{"eu": {"base_url": "https://me:hunter2@a.example.com", "secret": "sk-hunter2"}}"#;
    let faults = faults(misplaced);
    assert!(faults.contains("providers.eu.secret: must refer to a secret"), "{faults}");
    assert!(faults.contains("providers.eu.base_url: must not carry a user name"), "{faults}");
    assert!(!faults.contains("hunter2"), "{faults}");
}
