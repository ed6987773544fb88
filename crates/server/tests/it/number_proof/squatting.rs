//! Attempts to receive messages of a number that belongs to another project.

use super::*;

/// Each attempt is followed by a message to the number. Before the owner's proof messages wait;
/// after it the owner gets them all, once.
#[tokio::test]
async fn squatter_gets_no_message_of_another_projects_number() {
    let mut world = World::new().await;
    let (owner, squatter) = (world.app.key.clone(), world.squatter.clone());
    let own = world.connect_agent(&squatter, THEIR_NUMBER, THEIR_ACCOUNT, Some(SQUATTER)).await;

    // 1 to 5: tokens that prove too little, at registration.
    for (account, token) in [
        (ACCOUNT, None),
        (ACCOUNT, Some("EAAINVENTED")),
        (ACCOUNT, Some(SQUATTER)),
        (THEIR_ACCOUNT, Some(SQUATTER)),
        (ACCOUNT, Some(HALF)),
    ] {
        let id = world.connect_agent(&squatter, NUMBER, account, token).await;
        world.message().await;
        world.delete(&squatter, &id).await;
    }
    // 6: other spellings of the number.
    for number in ["0100000000000902", "+100000000000902", "100000000000902 ", "１00000000000902"] {
        assert_eq!(world.connect(&squatter, number, ACCOUNT, Some(HALF)).await.status, 422, "{number}");
    }
    // 7: a proved config that is given the number, and its account too.
    for change in [json!({"phone_number_id": NUMBER}), json!({"business_account_id": ACCOUNT})] {
        world.patch(&squatter, &own, change).await.data();
        world.message().await;
    }
    // 8: two configs at once, of two customers.
    let twice = futures::future::join_all([
        world.connect(&squatter, NUMBER, ACCOUNT, Some(HALF)),
        world.connect(&squatter, NUMBER, ACCOUNT, Some(SQUATTER)),
    ])
    .await;
    assert!(twice.iter().all(|answer| answer.status == 409), "the project has a config of the number");
    world.message().await;
    // 9: a guessed verify token.
    let shake = "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=token-of-the-owner&hub.challenge=1";
    world.app.call_as(None, Method::GET, shake, None).await;
    world.app.forward(Span::from_hours(4)).await;
    world.message().await;
    let waiting = world.sent;
    assert_eq!((world.conversations(&squatter).await, world.answers()), (0, 0));

    // The owner registers the number, which the squatter's config has, and proves it.
    world.app.model().says("Yes?");
    let config = world.connect_agent(&owner, NUMBER, ACCOUNT, Some(OWNER)).await;
    world.app.run_until_idle().await;
    assert_eq!((world.inbound(&owner).await.len(), world.answers()), (waiting, 1));

    // 10: the number is taken, even with a token that reads all of it.
    world.app.run_until_idle().await;
    for token in [HALF, AGENCY] {
        let change = world.patch(&squatter, &own, json!({"access_token": token, "business_account_id": ACCOUNT})).await;
        assert!([200, 409].contains(&change.status), "{}", change.body);
        world.app.model().says("Yes?");
        world.message().await;
    }
    // 11: deleting the squatter's config and creating it again.
    world.delete(&squatter, &own).await;
    assert_eq!(world.connect(&squatter, NUMBER, ACCOUNT, Some(AGENCY)).await.status, 409);
    world.app.model().says("Yes?");
    world.message().await;
    // 12: a config of another customer of the owner's project.
    assert_eq!(world.connect(&owner, NUMBER, ACCOUNT, Some(OWNER)).await.status, 409);
    world.app.model().says("Yes?");
    world.message().await;
    assert_eq!(world.conversations(&squatter).await, 0);
    assert_eq!((world.inbound(&owner).await.len(), world.answers()), (world.sent, 5));

    // The owner deletes the config: no config without a proof gets the later messages.
    world.delete(&owner, &config).await;
    world.connect_agent(&squatter, NUMBER, ACCOUNT, Some(HALF)).await;
    world.message().await;
    assert_eq!(world.conversations(&squatter).await, 0);
}

/// 13: requests at the same time, and jobs of two nodes.
#[tokio::test]
async fn of_two_proofs_at_once_one_gets_the_number() {
    let mut world = World::new().await;
    let (one, other) = (world.app.key.clone(), world.squatter.clone());
    // No answer in the requests, so that the jobs decide.
    *world.down.lock().unwrap() = true;
    let first = world.connect(&one, NUMBER, ACCOUNT, Some(OWNER)).await.id();
    let second = world.connect(&other, NUMBER, ACCOUNT, Some(AGENCY)).await.id();
    world.message().await;
    *world.down.lock().unwrap() = false;
    world.app.clock.forward(Span::from_hours(1));
    let ctx = world.app.app.context();
    let node =
        || async { while Box::pin(runtime::workers::step(ctx)).await.unwrap() == runtime::workers::Did::Something {} };
    futures::future::join_all([node(), node(), node(), node()]).await;
    world.app.run_until_idle().await;
    world.message().await;
    let mut got = [world.inbound(&one).await.len(), world.inbound(&other).await.len()];
    let mut proofs = [world.proof(&one, &first).await, world.proof(&other, &second).await];
    got.sort_unstable();
    proofs.sort_by_key(Value::to_string);
    assert_eq!((got, proofs), ([0, 2], [json!("proved"), json!("unproved")]));

    // The first proof holds until its config goes; then the other one takes over.
    let (winner, winner_key, loser) =
        if world.inbound(&one).await.is_empty() { (&second, &other, &one) } else { (&first, &one, &other) };
    world.delete(winner_key, winner).await;
    world.app.run_until_idle().await;
    world.message().await;
    assert_eq!(world.inbound(loser).await.len(), 1);
}
