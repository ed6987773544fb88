//! Memory for large request bodies with a key: agents with their graphs, which have up to 12 MiB
//! and take several times that while they are read.

use crate::ApiError;
use domain::ids::ProjectId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Bytes of the large bodies of all projects together.
const ALL: usize = 64 * 1024 * 1024;
/// Bytes of those of one project: two of the largest, and two projects leave room for others.
const OF_PROJECT: usize = 24 * 1024 * 1024;

/// Budgets of a node.
#[derive(Debug, Default)]
pub(crate) struct LargeBodies(Mutex<HashMap<ProjectId, usize>>);

/// Memory of one body, released when this is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    bodies: Arc<LargeBodies>,
    project: ProjectId,
    bytes: usize,
}

impl LargeBodies {
    fn lock(&self) -> MutexGuard<'_, HashMap<ProjectId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves memory for a body. Fails with [`ApiError::BodiesFull`] if a budget is used up.
    pub(crate) fn reserve(self: &Arc<Self>, project: ProjectId, bytes: usize) -> Result<Reserved, ApiError> {
        let mut held = self.lock();
        let all: usize = held.values().sum();
        let own = held.get(&project).copied().unwrap_or(0);
        if all + bytes > ALL || own + bytes > OF_PROJECT {
            metrics::counter!("chasqui_large_bodies_refused_total").increment(1);
            return Err(ApiError::BodiesFull);
        }
        held.insert(project, own + bytes);
        Ok(Reserved { bodies: self.clone(), project, bytes })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut held = self.bodies.lock();
        let left = held.get(&self.project).map_or(0, |own| own - self.bytes);
        if left == 0 {
            held.remove(&self.project);
        } else {
            held.insert(self.project, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Id;
    use uuid::Uuid;

    const LARGEST: usize = 12 * 1024 * 1024;

    #[test]
    fn project_and_node_have_room_for_a_number_of_large_bodies() {
        let bodies = Arc::new(LargeBodies::default());
        let reserve = |project: u128| bodies.reserve(Id::from_uuid(Uuid::from_u128(project)), LARGEST);
        let mut held: Vec<_> = [1, 1, 2, 2].map(|project| reserve(project).unwrap()).into();
        assert!(matches!(reserve(1), Err(ApiError::BodiesFull)), "a project has two");
        held.push(reserve(3).unwrap());
        assert!(matches!(reserve(4), Err(ApiError::BodiesFull)), "a node has five");
        held.remove(0);
        held.push(reserve(4).unwrap());
        drop(held);
        assert!(bodies.lock().is_empty());
    }
}
