//! Knowledge texts made ready for searching, kept in memory: by project, text and chunker, so that equal texts of a project share one, an
//! edited one is another, and no project's reading shows in another's.
//!
//! A node that does not have an index makes it, whoever asks first, while the others who want it wait. What was not asked for the longest
//! goes when there is no room. Nothing here is stored; losing it costs a second.

use domain::ids::ProjectId;
use engine::knowledge::{CHUNKER, Index, Knowledge};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{OnceCell, Semaphore},
    task::{JoinError, spawn_blocking},
};

/// Indexes made at once: the blocking pool commits to SQLite as well.
const AT_ONCE: usize = 2;
/// What an entry takes beside its index.
const ENTRY: usize = 256;

/// The texts of this node.
pub(crate) struct Library {
    most: usize,
    making: Semaphore,
    shelf: Mutex<Shelf>,
}

/// Project, SHA-256 of the text, chunker.
type Key = (ProjectId, [u8; 32], u32);

#[derive(Default)]
struct Shelf {
    entries: HashMap<Key, Entry>,
    bytes: usize,
    /// Counts what is asked for: the greatest is the newest.
    asked: u64,
}

#[derive(Default)]
struct Entry {
    index: Arc<OnceCell<Arc<Index>>>,
    /// 0 until it is made.
    bytes: usize,
    asked: u64,
}

impl Library {
    /// Holds at most so many bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, making: Semaphore::new(AT_ONCE), shelf: Mutex::default() }
    }

    /// The passages of a text that fit the queries. `None` where it cannot be searched, which is a mistake of ours.
    pub(crate) async fn search(
        &self,
        project: ProjectId,
        base: &Arc<Knowledge>,
        queries: &[String],
    ) -> Option<Vec<String>> {
        let found = async {
            let index = self.index(project, base).await?;
            let queries = queries.to_vec();
            spawn_blocking(move || index.search(&queries)).await
        };
        found.await.inspect_err(|error| tracing::error!(%error, "a knowledge base cannot be searched")).ok()
    }

    async fn index(&self, project: ProjectId, base: &Arc<Knowledge>) -> Result<Arc<Index>, JoinError> {
        let text = base.clone();
        let key = (project, spawn_blocking(move || text.digest()).await?, CHUNKER);
        let cell = self.shelf().take(key);
        let made = cell.get_or_try_init(|| async {
            let _one_of_few = self.making.acquire().await;
            let text = base.text.clone();
            let index = spawn_blocking(move || Arc::new(Index::build(&text))).await?;
            metrics::counter!("knowledge_indexes_total").increment(1);
            self.shelf().made(key, &cell, index.bytes() + ENTRY, self.most);
            Ok(index)
        });
        let made = made.await.cloned();
        if made.is_err() {
            self.shelf().entries.remove(&key);
        }
        made
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn take(&mut self, key: Key) -> Arc<OnceCell<Arc<Index>>> {
        self.asked += 1;
        let entry = self.entries.entry(key).or_default();
        entry.asked = self.asked;
        entry.index.clone()
    }

    /// An index is there: makes room for it. One that is too large for all of it is used and not kept.
    fn made(&mut self, key: Key, cell: &Arc<OnceCell<Arc<Index>>>, bytes: usize, most: usize) {
        let Some(entry) = self.entries.get_mut(&key).filter(|entry| Arc::ptr_eq(&entry.index, cell)) else { return };
        entry.bytes = bytes;
        self.bytes += bytes;
        if bytes > most {
            return self.drop(&key);
        }
        while self.bytes > most {
            let made = self.entries.iter().filter(|(other, entry)| **other != key && entry.bytes > 0);
            let Some(oldest) = made.min_by_key(|(_, entry)| entry.asked).map(|(oldest, _)| *oldest) else { return };
            self.drop(&oldest);
        }
    }

    fn drop(&mut self, key: &Key) {
        if let Some(gone) = self.entries.remove(key) {
            self.bytes -= gone.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Id;
    use uuid::Uuid;

    fn project(number: u128) -> ProjectId {
        Id::from_uuid(Uuid::from_u128(number))
    }

    fn base(text: &str) -> Arc<Knowledge> {
        Arc::new(Knowledge::new("faq", text))
    }

    /// Longer than what is given whole.
    fn long(word: &str) -> String {
        format!("{word} is open at nine. ").repeat(2_000)
    }

    #[tokio::test]
    async fn what_many_ask_for_at_once_is_made_once() {
        let library = Arc::new(Library::new(10 << 20));
        let text = long("Lima");
        let asked = (0..64).map(|_| {
            // Each with an agent of its own that has the same text.
            let (library, base) = (library.clone(), base(&text));
            tokio::spawn(async move { library.index(project(1), &base).await.unwrap() })
        });
        let made = futures::future::join_all(asked).await;
        let first = made[0].as_ref().unwrap();
        assert!(made.iter().all(|index| Arc::ptr_eq(index.as_ref().unwrap(), first)));
        assert_eq!(library.shelf().entries.len(), 1);
        assert_eq!(library.shelf().bytes, first.bytes() + ENTRY);
    }

    #[tokio::test]
    async fn another_text_and_another_project_have_an_index_of_their_own() {
        let library = Library::new(10 << 20);
        let one = library.index(project(1), &base(&long("Lima"))).await.unwrap();
        let edited = library.index(project(1), &base(&long("Cusco"))).await.unwrap();
        let other = library.index(project(2), &base(&long("Lima"))).await.unwrap();
        assert!(!Arc::ptr_eq(&one, &edited) && !Arc::ptr_eq(&one, &other));
        assert_eq!(library.shelf().entries.len(), 3);
    }

    #[tokio::test]
    async fn what_was_not_asked_for_the_longest_makes_room() {
        let size = Index::build(&long("Lima").into()).bytes() + ENTRY;
        let library = Library::new(3 * size + size / 2);
        let bases: Vec<_> = ["Lima", "Pisa", "Oslo", "Rome", "Bonn"].iter().map(|word| base(&long(word))).collect();
        let held = |place: usize| library.shelf().entries.contains_key(&(project(1), bases[place].digest(), CHUNKER));
        for place in [0, 1, 2, 0, 3, 4] {
            library.index(project(1), &bases[place]).await.unwrap();
            let shelf = library.shelf();
            assert!(shelf.bytes <= library.most, "{} of {}", shelf.bytes, library.most);
            assert_eq!(shelf.bytes, shelf.entries.values().map(|entry| entry.bytes).sum::<usize>());
        }
        assert_eq!([0, 1, 2, 3, 4].map(held), [true, false, false, true, true]);
    }

    #[tokio::test]
    async fn an_index_that_is_larger_than_all_room_is_used_and_not_kept() {
        let library = Library::new(1_000);
        let found = library.search(project(1), &base(&long("Lima")), &["Lima".into()]).await.unwrap();
        assert!(!found.is_empty());
        let shelf = library.shelf();
        assert_eq!((shelf.entries.len(), shelf.bytes), (0, 0));
    }
}
