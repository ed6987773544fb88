//! Points at which a simulation may suspend or abandon a task: before each SQLite statement and
//! around COMMIT. Empty without the feature `failpoints`.

#[cfg(feature = "failpoints")]
mod hooked {
    use std::{cell::RefCell, future::poll_fn, task::Poll};

    type Hook = Box<dyn FnMut() -> bool>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// At each point that this thread passes, the task yields if `hook` returns true.
    pub fn give_way_when(hook: Option<Hook>) {
        HOOK.set(hook);
    }

    pub(crate) async fn pass() {
        let mut gives_way = HOOK.with_borrow_mut(|hook| hook.as_mut().is_some_and(|hook| hook()));
        poll_fn(|cx| {
            if std::mem::take(&mut gives_way) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
}

#[cfg(feature = "failpoints")]
pub use hooked::give_way_when;
#[cfg(feature = "failpoints")]
pub(crate) use hooked::pass;

#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub(crate) async fn pass() {}
