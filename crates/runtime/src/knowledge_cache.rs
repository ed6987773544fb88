//! Search indexes of knowledge texts, kept in memory by project, text and chunker.
//!
//! Equal texts of a project share an index, and no project's use shows in another's timing. The
//! first to need an index builds it while the others wait. The least recently used ones make room.
//! Losing an index costs a second.

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

/// Concurrent builds: the blocking pool commits to SQLite as well.
const MAX_BUILDS: usize = 2;
/// Bytes that an entry needs in addition to its index.
const ENTRY: usize = 256;

pub(crate) struct KnowledgeCache {
    max_bytes: usize,
    builds: Semaphore,
    entries: Mutex<Entries>,
}

/// Project, SHA-256 of the text, chunker.
type Key = (ProjectId, [u8; 32], u32);

#[derive(Default)]
struct Entries {
    entries: HashMap<Key, Entry>,
    bytes: usize,
    /// Counts uses: the greatest number is the latest use.
    uses: u64,
}

#[derive(Default)]
struct Entry {
    index: Arc<OnceCell<Arc<Index>>>,
    /// 0 until the index is built.
    bytes: usize,
    last_use: u64,
}

impl KnowledgeCache {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, builds: Semaphore::new(MAX_BUILDS), entries: Mutex::default() }
    }

    /// The passages of a text that match the queries. `None` if it cannot be searched, which is a
    /// fault of the program.
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
        found.await.inspect_err(|error| tracing::error!(%error, "knowledge base cannot be searched")).ok()
    }

    async fn index(&self, project: ProjectId, base: &Arc<Knowledge>) -> Result<Arc<Index>, JoinError> {
        let text = base.clone();
        let key = (project, spawn_blocking(move || text.digest()).await?, CHUNKER);
        let cell = self.entries().get(key);
        let built = cell.get_or_try_init(|| async {
            let _permit = self.builds.acquire().await;
            let text = base.text.clone();
            let index = spawn_blocking(move || Arc::new(Index::build(&text))).await?;
            metrics::counter!("chasqui_knowledge_indexes_total").increment(1);
            self.entries().built(key, &cell, index.bytes() + ENTRY, self.max_bytes);
            Ok(index)
        });
        let built = built.await.cloned();
        if built.is_err() {
            self.entries().entries.remove(&key);
        }
        built
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn get(&mut self, key: Key) -> Arc<OnceCell<Arc<Index>>> {
        self.uses += 1;
        let entry = self.entries.entry(key).or_default();
        entry.last_use = self.uses;
        entry.index.clone()
    }

    /// Counts a built index and makes room for it. One that is larger than the whole cache is used
    /// and not kept.
    fn built(&mut self, key: Key, cell: &Arc<OnceCell<Arc<Index>>>, bytes: usize, max_bytes: usize) {
        let Some(entry) = self.entries.get_mut(&key).filter(|entry| Arc::ptr_eq(&entry.index, cell)) else { return };
        entry.bytes = bytes;
        self.bytes += bytes;
        if bytes > max_bytes {
            return self.drop(&key);
        }
        while self.bytes > max_bytes {
            let others = self.entries.iter().filter(|(other, entry)| **other != key && entry.bytes > 0);
            let Some(oldest) = others.min_by_key(|(_, entry)| entry.last_use).map(|(oldest, _)| *oldest) else {
                return;
            };
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

    /// Longer than a text that is given whole.
    fn long(word: &str) -> String {
        format!("{word} is open at nine. ").repeat(2_000)
    }

    #[tokio::test]
    async fn concurrent_requests_build_an_index_once() {
        let cache = Arc::new(KnowledgeCache::new(10 << 20));
        let text = long("Lima");
        let requests = (0..64).map(|_| {
            // Each has an agent of its own with the same text.
            let (cache, base) = (cache.clone(), base(&text));
            tokio::spawn(async move { cache.index(project(1), &base).await.unwrap() })
        });
        let built = futures::future::join_all(requests).await;
        let first = built[0].as_ref().unwrap();
        assert!(built.iter().all(|index| Arc::ptr_eq(index.as_ref().unwrap(), first)));
        assert_eq!(cache.entries().entries.len(), 1);
        assert_eq!(cache.entries().bytes, first.bytes() + ENTRY);
    }

    #[tokio::test]
    async fn index_is_not_shared_across_texts_or_projects() {
        let cache = KnowledgeCache::new(10 << 20);
        let one = cache.index(project(1), &base(&long("Lima"))).await.unwrap();
        let edited = cache.index(project(1), &base(&long("Cusco"))).await.unwrap();
        let other = cache.index(project(2), &base(&long("Lima"))).await.unwrap();
        assert!(!Arc::ptr_eq(&one, &edited) && !Arc::ptr_eq(&one, &other));
        assert_eq!(cache.entries().entries.len(), 3);
    }

    #[tokio::test]
    async fn least_recently_used_index_is_dropped() {
        let size = Index::build(&long("Lima").into()).bytes() + ENTRY;
        let cache = KnowledgeCache::new(3 * size + size / 2);
        let bases: Vec<_> = ["Lima", "Pisa", "Oslo", "Rome", "Bonn"].iter().map(|word| base(&long(word))).collect();
        let cached = |place: usize| cache.entries().entries.contains_key(&(project(1), bases[place].digest(), CHUNKER));
        for place in [0, 1, 2, 0, 3, 4] {
            cache.index(project(1), &bases[place]).await.unwrap();
            let entries = cache.entries();
            assert!(entries.bytes <= cache.max_bytes, "{} of {}", entries.bytes, cache.max_bytes);
            assert_eq!(entries.bytes, entries.entries.values().map(|entry| entry.bytes).sum::<usize>());
        }
        assert_eq!([0, 1, 2, 3, 4].map(cached), [true, false, false, true, true]);
    }

    #[tokio::test]
    async fn index_larger_than_the_cache_is_used_but_not_kept() {
        let cache = KnowledgeCache::new(1_000);
        let found = cache.search(project(1), &base(&long("Lima")), &["Lima".into()]).await.unwrap();
        assert!(!found.is_empty());
        let entries = cache.entries();
        assert_eq!((entries.entries.len(), entries.bytes), (0, 0));
    }
}
