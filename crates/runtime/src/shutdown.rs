//! The signals that ask the process to end: SIGTERM from a supervisor, SIGINT from a terminal.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// Which signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGINT, as by Ctrl-C.
    Interrupt,
}

/// Listens for the signals that ask the process to end. From its creation on, they no longer end the
/// process by themselves.
#[derive(Debug)]
pub struct Shutdown {
    terminate: Stream,
    interrupt: Stream,
}

impl Shutdown {
    /// Starts to listen; must be called inside the runtime.
    ///
    /// # Errors
    /// The kernel refused the handlers.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Resolves at the next signal. Called again, it waits for the next one, so that a second Ctrl-C can
    /// end a drain early.
    pub async fn requested(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.interrupt.recv() => Signal::Interrupt,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{self, Signal as Sent};

    use super::*;

    #[tokio::test]
    async fn both_signals_are_heard_and_do_not_end_the_process() {
        let mut shutdown = Shutdown::listen().unwrap();
        for (sent, heard) in [(Sent::TERM, Signal::Terminate), (Sent::INT, Signal::Interrupt)] {
            process::kill_process(process::getpid(), sent).unwrap();
            let requested = tokio::time::timeout(crate::fixtures::PATIENCE, shutdown.requested());
            assert_eq!(requested.await.unwrap(), heard);
        }
    }
}
