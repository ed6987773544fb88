//! Templates: one per name and language at Meta and one draft; one pull of an account at a time.

use crate::{
    directory,
    support::{World, at_once, fresh, fresh_uuid, later},
};
use domain::{
    job::SyncStatus,
    template::{TemplateStatus, Unconfirmed},
};
use store::{
    Error, Result, transact, unscoped, whatsapp_configs,
    whatsapp_template_syncs::{self, TemplateSyncRow},
    whatsapp_templates::{self, Filter, WhatsappTemplateRow},
};

fn template(name: &str, status: &str, seconds: i64) -> WhatsappTemplateRow {
    WhatsappTemplateRow {
        id: fresh(),
        waba_id: "waba".into(),
        name: name.into(),
        language_code: "en_US".into(),
        category: "UTILITY".into(),
        status: status.parse().expect("a status"),
        parameter_format: "POSITIONAL".into(),
        components: "[]".into(),
        meta_id: None,
        meta_status: None,
        rejected_reason: None,
        quality: None,
        in_doubt: None,
        version: 1,
        created_at: later(seconds),
        updated_at: later(seconds),
    }
}

async fn insert(world: &World, row: &WhatsappTemplateRow) -> Result<()> {
    transact!(world.store, "test", tx => whatsapp_templates::insert(tx, world.project, row).await)
}

fn pull(waba: &str, seconds: i64) -> TemplateSyncRow {
    TemplateSyncRow {
        id: fresh(),
        waba_id: waba.into(),
        anchor_config_id: fresh(),
        anchor: "{}".into(),
        job_id: fresh_uuid(),
        status: SyncStatus::Queued,
        templates_synced: 0,
        templates_created: 0,
        templates_updated: 0,
        templates_removed: 0,
        config_ids: "[]".into(),
        error_class: None,
        error_message: None,
        queued_at: later(seconds),
        started_at: None,
        finished_at: None,
    }
}

async fn queue(world: &World, row: &TemplateSyncRow) -> bool {
    transact!(world.store, "test", tx => whatsapp_template_syncs::queue(tx, world.project, row).await).expect("a queue")
}

#[tokio::test]
async fn template_name_is_unique_per_language_apart_from_a_draft() {
    let world = World::new().await;
    for (status, fits) in [
        ("approved", true),
        ("rejected", false),
        ("submitted", false),
        ("disabled", false),
        ("draft", true),
        ("draft", false),
        ("removed", true),
        ("removed", true),
    ] {
        let stored = insert(&world, &template("visit", status, 0)).await;
        assert_eq!(stored.is_ok(), fits, "{status}: {stored:?}");
        assert!(fits || matches!(stored, Err(Error::Conflict(_))), "{status}: {stored:?}");
    }
    for other in [
        WhatsappTemplateRow { language_code: "pt_BR".into(), ..template("visit", "approved", 0) },
        WhatsappTemplateRow { waba_id: "waba-2".into(), ..template("visit", "approved", 0) },
    ] {
        insert(&world, &other).await.unwrap();
    }
    let mut reader = world.store.read().await.unwrap();
    let conn = &mut reader.conn();
    let named = |rows: Vec<WhatsappTemplateRow>| rows.iter().map(|row| row.language_code.clone()).collect::<Vec<_>>();
    let found = whatsapp_templates::named(conn, world.project, "waba", "visit", None).await.unwrap();
    assert_eq!(named(found), ["en_US", "pt_BR"]);
    let found = whatsapp_templates::named(conn, world.project, "waba", "visit", Some("pt_BR")).await.unwrap();
    assert_eq!(named(found), ["pt_BR"]);
    let draft = whatsapp_templates::draft(conn, world.project, "waba", "visit", "en_US").await.unwrap();
    assert_eq!(draft.unwrap().status, TemplateStatus::Draft);
}

#[tokio::test]
async fn template_update_raises_the_version_and_keeps_other_fields() {
    let world = World::new().await;
    let row = template("visit", "draft", 0);
    insert(&world, &row).await.unwrap();
    let changed = WhatsappTemplateRow {
        status: TemplateStatus::Submitted,
        meta_id: Some("990011".into()),
        meta_status: Some("PENDING".into()),
        in_doubt: Some(Unconfirmed::Partial),
        updated_at: later(5),
        ..row.clone()
    };
    transact!(world.store, "test", tx => {
        let locked = whatsapp_templates::lock(tx, world.project, row.id).await?;
        assert_eq!(locked.as_ref(), Some(&row));
        whatsapp_templates::update(tx, world.project, &changed).await
    })
    .unwrap();
    let mut reader = world.store.read().await.unwrap();
    let conn = &mut reader.conn();
    let found = whatsapp_templates::find(conn, world.project, row.id).await.unwrap().unwrap();
    assert_eq!(found, WhatsappTemplateRow { version: 2, ..changed });
    assert_eq!(whatsapp_templates::of_meta(conn, world.project, "990011").await.unwrap().as_ref(), Some(&found));
    for project in [fresh(), fresh()] {
        assert_eq!(whatsapp_templates::find(conn, project, row.id).await.unwrap(), None);
        assert_eq!(whatsapp_templates::of_meta(conn, project, "990011").await.unwrap(), None);
        assert_eq!(whatsapp_templates::of_account(conn, project, "waba").await.unwrap(), []);
        assert_eq!(whatsapp_templates::list(conn, project, &Filter::default(), 10, 0).await.unwrap().1, 0);
    }
}

#[tokio::test]
async fn templates_are_listed_with_filters() {
    let world = World::new().await;
    let customer = world.customer().await;
    let mut config = directory::config(fresh(), None, "555", "production");
    config.customer_id = Some(customer);
    let elsewhere = directory::config(fresh(), None, "556", "sandbox");
    transact!(world.store, "test", tx => {
        whatsapp_configs::insert(tx, world.project, &config).await?;
        whatsapp_configs::insert(tx, world.project, &elsewhere).await
    })
    .unwrap();
    let other = |row| WhatsappTemplateRow { waba_id: "waba-2".into(), ..row };
    let marketing = WhatsappTemplateRow { category: "MARKETING".into(), ..template("visit_offer", "rejected", 3) };
    for row in [template("visit", "approved", 1), other(template("order", "approved", 2)), marketing] {
        insert(&world, &row).await.unwrap();
    }
    insert(&world, &template("old", "removed", 4)).await.unwrap();
    let filter = Filter::default;
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (filter(), &["visit_offer", "order", "visit"][..]),
        (Filter { customer: Some(customer), ..filter() }, &["visit_offer", "visit"]),
        (Filter { customer: Some(fresh()), ..filter() }, &[]),
        (Filter { config: Some(elsewhere.id), ..filter() }, &["visit_offer", "visit"]),
        (Filter { config: Some(fresh()), ..filter() }, &[]),
        (Filter { waba_id: text("waba-2"), ..filter() }, &["order"]),
        (Filter { name: text("ISIT_"), ..filter() }, &["visit_offer"]),
        (Filter { language: text("pt_BR"), ..filter() }, &[]),
        (Filter { category: text("MARKETING"), ..filter() }, &["visit_offer"]),
        (Filter { status: text("approved"), ..filter() }, &["order", "visit"]),
        (Filter { status: text("removed"), ..filter() }, &["old"]),
    ] {
        let mut reader = world.store.read().await.unwrap();
        let (rows, total) = whatsapp_templates::list(&mut reader.conn(), world.project, &filter, 10, 0).await.unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((names.as_slice(), total), (expected, expected.len() as i64), "{filter:?}");
    }
    let mut reader = world.store.read().await.unwrap();
    let of = |customer, waba| (customer, waba);
    for (customer, waba) in [of(None, None), of(Some(customer), Some("waba"))] {
        let rows = whatsapp_configs::production(&mut reader.conn(), world.project, customer, waba).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [config.id]);
    }
    let projects = unscoped::projects_of_account(&mut reader.conn(), "waba").await.unwrap();
    assert_eq!(projects, [world.project]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_pulls_of_an_account_is_queued() {
    let world = World::new().await;
    let (store, project) = (world.store.clone(), world.project);
    let queued = at_once(16, |_| {
        let store = store.clone();
        async move {
            transact!(store, "test", tx => whatsapp_template_syncs::queue(tx, project, &pull("waba", 0)).await).unwrap()
        }
    })
    .await;
    assert_eq!(queued.into_iter().filter(|queued| *queued).count(), 1);
    assert!(queue(&world, &pull("waba-2", 0)).await, "another account's");
}

#[tokio::test]
async fn newest_pull_per_account_is_listed_and_a_finished_one_allows_another() {
    let world = World::new().await;
    let (first, other) = (pull("waba", 0), pull("waba-2", 1));
    assert!(queue(&world, &first).await && queue(&world, &other).await);
    let done = TemplateSyncRow {
        status: SyncStatus::Failed,
        templates_synced: 7,
        error_class: Some("refused".into()),
        started_at: Some(later(1)),
        finished_at: Some(later(2)),
        ..first
    };
    transact!(world.store, "test", tx => whatsapp_template_syncs::update(tx, world.project, &done).await).unwrap();
    let second = pull("waba", 5);
    assert!(queue(&world, &second).await);
    let mut reader = world.store.read().await.unwrap();
    let conn = &mut reader.conn();
    let ids = |rows: &[TemplateSyncRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(whatsapp_template_syncs::find(conn, world.project, done.id).await.unwrap().as_ref(), Some(&done));
    let newest = whatsapp_template_syncs::newest(conn, world.project).await.unwrap();
    assert_eq!(ids(&newest), [second.id, other.id]);
    let all = whatsapp_template_syncs::of_account(conn, world.project, "waba", 10).await.unwrap();
    assert_eq!(ids(&all), [second.id, done.id]);
    let live = whatsapp_template_syncs::live(conn, world.project, "waba").await.unwrap();
    assert_eq!(live.map(|row| row.id), Some(second.id));
    assert_eq!(whatsapp_template_syncs::find(conn, fresh(), done.id).await.unwrap(), None);
    assert_eq!(whatsapp_template_syncs::newest(conn, fresh()).await.unwrap(), []);
}
