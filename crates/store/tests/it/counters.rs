//! Counters equal row counts after concurrent, refused and retried changes.

use crate::support::{NOW, World, at_once, fresh, later};
use domain::{
    conversation::ConfigKind,
    ids::{AgentId, ContactId, CustomerId, ProjectId, TestCaseId, TestSuiteId},
    sandbox::SessionStatus,
};
use store::{
    Error, agents, census, contacts, conversations, customers, executions, sandbox_sessions, test_cases, test_runs,
    test_suites, transact, whatsapp_configs,
};
use uuid::Uuid;

async fn assert_right(world: &World) {
    let mut reader = world.store.read().await.expect("done");
    assert_eq!(census::wrong_counters(&mut reader.conn()).await.expect("done"), []);
}

/// Deterministic.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides).expect("done")
    }
}

/// Rows of one of several writers.
struct Writer {
    project: ProjectId,
    agent: AgentId,
    suite: TestSuiteId,
    case: Option<TestCaseId>,
    customers: Vec<CustomerId>,
    configs: Vec<whatsapp_configs::WhatsappConfigRow>,
}

impl Writer {
    async fn new(world: &World) -> Self {
        let agent = world.agent().await;
        let suite = test_suites::TestSuiteRow {
            id: fresh(),
            agent_id: agent,
            name: "Default".into(),
            description: None,
            created_at: NOW,
            updated_at: NOW,
        };
        transact!(world.store, "test", tx => test_suites::insert(tx, world.project, &suite).await).expect("done");
        let (customers, configs) = (Vec::new(), Vec::new());
        Self { project: world.project, agent, suite: suite.id, case: None, customers, configs }
    }

    /// One random change; some are refused or rolled back, and counters must not keep those.
    async fn change(&mut self, world: &World, dice: &mut Dice) {
        match dice.roll(9) {
            0 => self.customers.push(world.customer().await),
            1 if !self.customers.is_empty() => {
                let gone = self.customers.swap_remove(dice.roll(self.customers.len() as u64));
                transact!(world.store, "test", tx => customers::delete(tx, self.project, gone).await).expect("done");
            }
            2 => self.connect(world, dice).await,
            3 if !self.configs.is_empty() => {
                let gone = self.configs.swap_remove(dice.roll(self.configs.len() as u64));
                transact!(world.store, "test", tx => whatsapp_configs::delete(tx, self.project, &gone).await)
                    .expect("done");
            }
            4 => self.contact_writes(world, dice).await,
            5 => self.runs(world, dice).await,
            6 => self.tests(world, dice).await,
            7 => {
                let given_up: Result<(), Error> = transact!(world.store, "test", tx => {
                    let row = customer();
                    customers::insert(tx, self.project, &row).await?;
                    Err(Error::Conflict("changed my mind".into()))
                });
                assert!(given_up.is_err());
            }
            _ => drop(world.agent().await),
        }
    }

    async fn connect(&mut self, world: &World, dice: &mut Dice) {
        let row = whatsapp_configs::WhatsappConfigRow {
            id: fresh(),
            customer_id: None,
            name: "Line".into(),
            // Sometimes one that is taken already.
            phone_number_id: format!("{}", dice.roll(20)),
            waba_id: "1".into(),
            display_phone_number: None,
            access_token_id: None,
            webhook_verify_token: "x".into(),
            webhook_destination_url: None,
            webhook_verified_at: None,
            kind: ConfigKind::Production,
            inbound_processing_enabled: true,
            calls_enabled: false,
            created_at: NOW,
            updated_at: NOW,
            proof: domain::conversation::NumberProof::Assumed,
            proof_at: None,
            proof_failure: None,
        };
        let stored = transact!(world.store, "test", tx => whatsapp_configs::insert(tx, self.project, &row).await);
        if stored.is_ok() {
            self.configs.push(row);
        }
    }

    /// First or again, with or without a number, in a new or open conversation.
    async fn contact_writes(&self, world: &World, dice: &mut Dice) {
        let person = dice.roll(12);
        let who = person.to_string();
        let identity = contacts::Identity::phone_number(who.clone());
        // As in life the id follows from the person, so that first messages at the same time agree;
        // or it does not.
        let derived = ContactId::from_uuid(Uuid::from_u128(1 << 100 | person as u128));
        let id = if dice.roll(2) == 0 { fresh() } else { derived };
        let wa_id = (dice.roll(2) == 0).then_some(who);
        let seen = contacts::Seen { wa_id, ..contacts::Seen::default() };
        let number = ["", "1", "2"][dice.roll(3)];
        transact!(world.store, "test", tx => {
            let contact = contacts::ensure(tx, self.project, std::slice::from_ref(&identity), id, &seen, NOW).await?;
            let touch = conversations::Touch { phone_number_id: number, ..crate::support::touch(contact) };
            conversations::touch(tx, self.project, &touch).await
        })
        .expect("done");
    }

    async fn runs(&self, world: &World, dice: &mut Dice) {
        let conversation = world.conversation().await;
        let execution = world.execution(self.agent, conversation).await.expect("done");
        for _ in 0..dice.roll(3) {
            transact!(world.store, "test", tx => executions::begin_with(tx, self.project, execution, 1, "{}", 0, "{}").await)
                .expect("done");
        }
    }

    async fn tests(&mut self, world: &World, dice: &mut Dice) {
        if let Some(case) = self.case.filter(|_| dice.roll(3) == 0) {
            transact!(world.store, "test", tx => {
                test_runs::delete_of_case(tx, self.project, case).await?;
                test_cases::delete(tx, self.project, case).await
            })
            .expect("done");
            self.case = None;
            return;
        }
        let case = match self.case {
            Some(case) => case,
            None => {
                let row = test_cases::TestCaseRow {
                    id: fresh(),
                    suite_id: self.suite,
                    name: "Greets".into(),
                    description: None,
                    script: "x".into(),
                    rubric: "y".into(),
                    created_at: NOW,
                    updated_at: NOW,
                };
                transact!(world.store, "test", tx => test_cases::insert(tx, self.project, &row).await).expect("done");
                *self.case.insert(row.id)
            }
        };
        let run = test_runs::NewTestRun {
            id: fresh(),
            suite: self.suite,
            case,
            agent: self.agent,
            snapshot: fresh(),
            execution: fresh(),
            state: "{}",
            now: NOW,
        };
        transact!(world.store, "test", tx => test_runs::insert(tx, self.project, &run).await).expect("done");
    }
}

fn customer() -> customers::CustomerRow {
    customers::CustomerRow {
        id: fresh(),
        name: "Clinic".into(),
        external_customer_id: None,
        metadata: "{}".into(),
        created_at: NOW,
        updated_at: NOW,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counters_match_row_counts_after_random_concurrent_changes() {
    let world = std::sync::Arc::new(World::new().await);
    at_once(4, |seed| {
        let world = world.clone();
        async move {
            let mut writer = Writer::new(&world).await;
            let mut dice = Dice(u64::try_from(seed).unwrap());
            for _ in 0..80 {
                writer.change(&world, &mut dice).await;
            }
        }
    })
    .await;
    assert_right(&world).await;
    let mut reader = world.store.read().await.unwrap();
    let (page, total) = agents::list(&mut reader.conn(), world.project, 1_000, 0).await.unwrap();
    assert!(total > 10 && page.len() == usize::try_from(total).unwrap(), "{total}");
    let (page, total) =
        contacts::list(&mut reader.conn(), world.project, &contacts::Filter::default(), 1_000, 0).await.unwrap();
    assert!(total > 3 && page.len() == usize::try_from(total).unwrap(), "{total}");
}

#[tokio::test]
async fn wrong_counter_is_detected() {
    let world = World::new().await;
    world.customer().await;
    world.execute("UPDATE counters SET n = n + 1").await;
    let mut reader = world.store.read().await.unwrap();
    let wrong = census::wrong_counters(&mut reader.conn()).await.unwrap();
    assert_eq!(
        wrong.iter().map(|it| (it.list.as_str(), it.counted, it.there)).collect::<Vec<_>>(),
        [("customers", 2, 1)]
    );
}

#[tokio::test]
async fn refused_session_is_not_counted() {
    let world = World::new().await;
    let agent = world.agent().await;
    let session = |id| sandbox_sessions::SandboxSessionRow {
        id,
        phone: "+5511961234567".into(),
        phone_canonical: "551161234567".into(),
        agent_id: agent,
        code: "ABC234".into(),
        status: SessionStatus::Active,
        activated_at: None,
        expires_at: later(86_400),
        created_at: NOW,
        updated_at: NOW,
    };
    for expected in [true, false] {
        let row = session(fresh());
        let stored = transact!(world.store, "test", tx => sandbox_sessions::insert(tx, world.project, &row).await);
        assert_eq!(stored.is_ok(), expected);
    }
    assert_right(&world).await;
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(sandbox_sessions::list(&mut reader.conn(), world.project, 10, 0).await.unwrap().1, 1);
}
