//! Database URLs.

use store::DatabaseUrl;

#[test]
fn shown_url_contains_no_secret() {
    for url in
        ["postgres://me:hush@db:5432/x?password=hush", "postgresql://db/x?user=me&password=hush", "postgres://db:1/x"]
    {
        let shown = DatabaseUrl::parse(url).unwrap().shown();
        assert!(!shown.contains("hush") && shown.contains("db") && shown.ends_with("/x"), "{shown}");
    }
}

#[test]
fn only_sqlite_and_postgres_urls_are_accepted() {
    assert!(DatabaseUrl::parse("sqlite:some/file.db").is_ok());
    for url in ["", "mysql://x", "chasqui.db", "http://x"] {
        assert!(DatabaseUrl::parse(url).is_err(), "{url}");
    }
}
