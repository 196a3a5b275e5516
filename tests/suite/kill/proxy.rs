//! What stands between the program and a broker in these tests: it forwards bytes, and at set counts of them it cuts all
//! connections, loses an answer, falls silent, or is gone for a while.
//!
//! The counts are of bytes in both directions on all connections together, from one fault to the next, so that a fault
//! strikes in the middle of what is being said, whoever says it.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What happens to the connections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// All are reset.
    Reset,
    /// All are closed.
    Close,
    /// What the client says next reaches the broker; instead of the answer all are reset.
    AnswerLost,
    /// Nothing is forwarded for so long, and then it goes on.
    Silent(Duration),
    /// Nothing is forwarded for so long, and then all are reset.
    SilentCut(Duration),
    /// All are reset, and nobody listens for so long.
    Gone(Duration),
}

/// Forwards from a port of its own to a broker, until it is dropped.
pub(super) struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
    _runtime: Runtime,
}

impl Proxy {
    /// With faults, each so many bytes after the one before. `port` is 0 where any will do.
    pub(super) fn new(port: u16, broker: &str, faults: &[(u64, Fault)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let line = Arc::new(Line {
            broker: broker.to_owned(),
            faults: Mutex::new(faults.iter().copied().collect()),
            cut: watch::Sender::new(true),
            silent: watch::Sender::new(false),
            gone: watch::Sender::new(false),
        });
        let _entered = runtime.enter();
        // Holds the port, also while nobody listens there.
        let held = socket(SocketAddr::from(([127, 0, 0, 1], port)));
        let address = held.local_addr().unwrap();
        let listener = socket(address).listen(64).unwrap();
        let accepting = Arc::clone(&line);
        runtime.spawn(async move {
            let mut listener = Some(listener);
            let mut gone = accepting.gone.subscribe();
            loop {
                let open = listener.take().unwrap_or_else(|| socket(address).listen(64).unwrap());
                tokio::select! {
                    _ = gone.wait_for(|gone| *gone) => {}
                    () = Arc::clone(&accepting).accept(&open) => {}
                }
                drop(open);
                gone.wait_for(|gone| !gone).await.unwrap();
                _ = &held;
            }
        });
        Self { address, line, _runtime: runtime }
    }

    /// Where clients connect to.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The faults that have not struck.
    pub(super) fn left(&self) -> Vec<(u64, Fault)> {
        self.line.faults.lock().unwrap().iter().copied().collect()
    }
}

/// Several of them can have a port, of which those that listen get what comes.
fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

/// What all connections share.
struct Line {
    broker: String,
    /// Those to come; the first with the bytes that are left until then.
    faults: Mutex<VecDeque<(u64, Fault)>>,
    /// Every sending ends all connections, by a reset where it says `true`.
    cut: watch::Sender<bool>,
    silent: watch::Sender<bool>,
    gone: watch::Sender<bool>,
}

impl Line {
    async fn accept(self: Arc<Self>, listener: &TcpListener) {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let cut = self.cut.subscribe();
            tokio::spawn(Arc::clone(&self).connect(client, cut));
        }
    }

    async fn connect(self: Arc<Self>, mut client: TcpStream, mut cut: watch::Receiver<bool>) {
        let Ok(mut broker) = TcpStream::connect(&self.broker).await else { return };
        client.set_nodelay(true).unwrap();
        broker.set_nodelay(true).unwrap();
        let deaf = AtomicBool::new(false);
        let reset = {
            let ((from_client, to_client), (from_broker, to_broker)) = (client.split(), broker.split());
            let up = self.forward(from_client, to_broker, true, &deaf);
            let down = self.forward(from_broker, to_client, false, &deaf);
            tokio::select! {
                _ = cut.changed() => *cut.borrow(),
                ended = async { tokio::try_join!(up, down) } => ended.is_err(),
            }
        };
        if reset {
            _ = client.set_zero_linger();
            _ = broker.set_zero_linger();
        }
    }

    /// One direction of a connection, up to the broker or down to the client.
    async fn forward(
        self: &Arc<Self>,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        up: bool,
        deaf: &AtomicBool,
    ) -> io::Result<()> {
        let mut silent = self.silent.subscribe();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return to.shutdown().await;
            }
            let mut rest = &buffer[..length];
            while !rest.is_empty() {
                silent.wait_for(|silent| !silent).await.map_err(io::Error::other)?;
                if !up && deaf.load(Ordering::Relaxed) {
                    return self.cut(true).await;
                }
                let (now, fault) = self.due(rest.len(), up);
                to.write_all(&rest[..now]).await?;
                rest = &rest[now..];
                match fault {
                    None => {}
                    Some(Fault::Reset) => return self.cut(true).await,
                    Some(Fault::Close) => return self.cut(false).await,
                    Some(Fault::AnswerLost) => deaf.store(true, Ordering::Relaxed),
                    Some(Fault::Silent(time)) => self.fall_silent(time, false),
                    Some(Fault::SilentCut(time)) => self.fall_silent(time, true),
                    Some(Fault::Gone(time)) => return self.go(time).await,
                }
            }
        }
    }

    /// How much of what came is forwarded before a fault, and that fault.
    fn due(&self, length: usize, up: bool) -> (usize, Option<Fault>) {
        let mut faults = self.faults.lock().unwrap();
        let Some((left, fault)) = faults.front_mut() else { return (length, None) };
        let fault = *fault;
        match usize::try_from(*left).unwrap() {
            // It is what a client says to which no answer comes.
            now if now < length && (up || fault != Fault::AnswerLost) => {
                faults.pop_front();
                (if fault == Fault::AnswerLost { length } else { now }, Some(fault))
            }
            _ => {
                *left = left.saturating_sub(length as u64);
                (length, None)
            }
        }
    }

    /// Ends all connections, that of the caller, too.
    async fn cut(&self, reset: bool) -> io::Result<()> {
        self.cut.send_replace(reset);
        pending().await
    }

    fn fall_silent(self: &Arc<Self>, time: Duration, cut: bool) {
        self.silent.send_replace(true);
        let line = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            if cut {
                line.cut.send_replace(true);
            }
            line.silent.send_replace(false);
        });
    }

    async fn go(self: &Arc<Self>, time: Duration) -> io::Result<()> {
        self.gone.send_replace(true);
        let line = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            line.gone.send_replace(false);
        });
        self.cut(true).await
    }
}
