//! Events with any of a contact's identifiers lead to one contact.

use crate::support::{NOW, World, at_once, fresh, later};
use domain::ids::ContactId;
use std::collections::HashSet;
use store::{
    Store, contact_joins, contacts,
    contacts::{Identity, IdentityKind, Seen},
    transact,
};
use uuid::Uuid;

fn phone(digits: &str) -> Identity {
    Identity::phone_number(digits)
}

fn bsuid(scope: &str, value: &str) -> Identity {
    Identity { kind: IdentityKind::Bsuid, scope: scope.into(), value: value.into() }
}

/// Derived from the first identity, as in the runtime.
fn derived(identity: &Identity) -> ContactId {
    let name = format!("{}/{}/{}", identity.kind, identity.scope, identity.value);
    let mut bytes = [0u8; 16];
    for (at, byte) in name.bytes().enumerate() {
        bytes[at % 16] = bytes[at % 16].rotate_left(3) ^ byte;
    }
    ContactId::from_uuid(Uuid::new_v8(bytes))
}

async fn ensure(store: &Store, project: domain::ids::ProjectId, identities: &[Identity], seen: &Seen) -> ContactId {
    let id = derived(&identities[0]);
    transact!(store, "test", tx => contacts::ensure(tx, project, identities, id, seen, NOW).await).expect("a contact")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_first_messages_create_one_contact() {
    let world = World::new().await;
    let (store, project) = (world.store.clone(), world.project);
    let ids = at_once(32, |_| {
        let store = store.clone();
        async move { ensure(&store, project, &[bsuid("waba", "US.1"), phone("15550001")], &Seen::default()).await }
    })
    .await;
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1);
    assert_eq!(world.number("SELECT count(*) FROM contacts").await, 1);
    assert_eq!(world.number("SELECT count(*) FROM contact_identities").await, 2);
}

/// Half of the events hide the user id and so derive another contact id.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_first_messages_with_different_identifiers_create_one_contact() {
    let world = World::new().await;
    let (store, project) = (world.store.clone(), world.project);
    for round in 0..10 {
        let ids = at_once(16, |n| {
            let (store, number) = (store.clone(), phone(&format!("1555000{round}")));
            let both = [bsuid("waba", &format!("US.{round}")), number.clone()];
            let identities = if n % 2 == 0 { both.to_vec() } else { vec![number] };
            async move {
                ensure(&store, project, &identities, &Seen::default()).await;
                identities
            }
        })
        .await;
        let mut reader = world.store.read().await.unwrap();
        let mut people = HashSet::new();
        for identity in ids.into_iter().flatten() {
            people.insert(contacts::by_identity(&mut reader.conn(), project, &identity).await.unwrap().unwrap());
        }
        // The phone may be stored before the user id is known; then they are two until an event
        // links them.
        assert!(!people.is_empty() && people.len() <= 2);
    }
    let without_identity = "SELECT count(*) FROM contacts c WHERE NOT EXISTS \
                            (SELECT 1 FROM contact_identities i WHERE i.project_id = c.project_id AND i.contact_id = c.id)";
    assert_eq!(world.number(without_identity).await, 0, "contacts that no identifier leads to");
}

#[tokio::test]
async fn contact_is_found_by_any_earlier_identifier() {
    let world = World::new().await;
    let (store, project) = (&world.store, world.project);
    let first = ensure(store, project, &[phone("15550001")], &Seen::default()).await;
    let linked = ensure(store, project, &[bsuid("waba", "US.1"), phone("15550001")], &Seen::default()).await;
    let hidden = ensure(store, project, &[bsuid("waba", "US.1")], &Seen::default()).await;
    assert_eq!([linked, hidden], [first; 2]);
}

#[tokio::test]
async fn equal_user_ids_in_two_portfolios_are_two_contacts() {
    let world = World::new().await;
    let (store, project) = (&world.store, world.project);
    let one = ensure(store, project, &[bsuid("waba", "US.1")], &Seen::default()).await;
    let other = ensure(store, project, &[bsuid("another", "US.1")], &Seen::default()).await;
    assert_ne!(one, other);
}

#[tokio::test]
async fn user_id_and_number_that_meet_are_one_person() {
    let world = World::new().await;
    let (store, project) = (&world.store, world.project);
    let hidden = ensure(store, project, &[bsuid("waba", "US.1")], &Seen::default()).await;
    let numbered = ensure(store, project, &[phone("15550001")], &Seen::default()).await;
    let both = [bsuid("waba", "US.1"), phone("15550001")];
    let met = transact!(store, "test", tx => contacts::see(tx, project, &both, fresh(), &Seen::default(), NOW).await);
    let met = met.unwrap();
    assert_eq!((met.id, met.twin), (numbered, Some(hidden)), "the conversation with the number continues");
    transact!(store, "test", tx => contact_joins::join(tx, project, hidden, numbered, NOW).await).unwrap();
    for identity in &both {
        assert_eq!(ensure(store, project, std::slice::from_ref(identity), &Seen::default()).await, numbered);
    }
}

#[tokio::test]
async fn number_that_another_person_has_now_leaves_its_contact() {
    let world = World::new().await;
    let (store, project) = (&world.store, world.project);
    let ana = [bsuid("waba", "US.1"), phone("15550001")];
    let first = ensure(store, project, &ana, &Seen { wa_id: Some("15550001".into()), ..Seen::default() }).await;
    let seen = Seen { wa_id: Some("15550002".into()), user_id: Some("US.2".into()), ..Seen::default() };
    let ben = ensure(store, project, &[bsuid("waba", "US.2"), phone("15550002")], &seen).await;
    // Ben has Ana's number now, without a notice of either.
    let seen = Seen { wa_id: Some("15550001".into()), user_id: Some("US.2".into()), ..Seen::default() };
    assert_eq!(ensure(store, project, &[bsuid("waba", "US.2"), phone("15550001")], &seen).await, ben);
    assert_eq!(ensure(store, project, &[phone("15550001")], &Seen::default()).await, ben);
    assert_eq!(ensure(store, project, &[bsuid("waba", "US.1")], &Seen::default()).await, first);
    let mut reader = world.store.read().await.unwrap();
    let row = contacts::find(&mut reader.conn(), project, first).await.unwrap().unwrap();
    assert_eq!(row.wa_id, None, "messages for the first contact do not reach the second");
}

#[tokio::test]
async fn missing_fields_of_an_event_keep_stored_values() {
    let world = World::new().await;
    let seen = Seen { profile_name: Some("Ana".into()), wa_id: Some("15550001".into()), user_id: None, customer: None };
    let id = ensure(&world.store, world.project, &[phone("15550001")], &seen).await;
    let seen = Seen { user_id: Some("US.1".into()), ..Seen::default() };
    let again = fresh();
    transact!(world.store, "test", tx => contacts::ensure(tx, world.project, &[phone("15550001")], again, &seen, later(1)).await)
        .unwrap();
    let mut reader = world.store.read().await.unwrap();
    let row = contacts::find(&mut reader.conn(), world.project, id).await.unwrap().unwrap();
    let texts = [row.profile_name.as_deref(), row.wa_id.as_deref(), row.user_id.as_deref()];
    assert_eq!(texts, [Some("Ana"), Some("15550001"), Some("US.1")]);
}
