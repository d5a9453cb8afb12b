//! Many clients at once who take their time, as slowhttptest's modes do. They are far away: the
//! sockets on the way hold tens of KiB and not, as between two programs of one machine, megabytes.

use socket2::SockRef;
use std::io::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

/// What each of a crowd does, over and over.
#[derive(Clone, Debug)]
pub enum Manner {
    /// Sends a beginning, and then a piece so many times, with a pause before each.
    Drips { beginning: Vec<u8>, piece: &'static [u8], times: usize, pause: Duration },
    /// Asks, and takes so many bytes of the answer between two pauses.
    Sips { request: Vec<u8>, bytes: usize, pause: Duration },
}

/// Clients with a thread of their own, who leave when this is dropped.
pub struct Crowd {
    counts: Arc<Counts>,
    leave: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Counts {
    engaged: AtomicUsize,
    ended: AtomicUsize,
}

impl Crowd {
    /// So many clients of this address, who behave so.
    pub fn of(count: usize, address: SocketAddr, manner: &Manner) -> Crowd {
        let (counts, manner) = (Arc::<Counts>::default(), Arc::new(manner.clone()));
        let (leave, left) = watch::channel(false);
        let all = Arc::clone(&counts);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                for _ in 0..count {
                    let (counts, manner) = (Arc::clone(&all), Arc::clone(&manner));
                    tokio::spawn(async move {
                        loop {
                            once(address, &manner, &counts).await;
                        }
                    });
                }
                let mut left = left;
                let _ = left.wait_for(|left| *left).await;
            });
        });
        Crowd { counts, leave, thread: Some(thread) }
    }

    /// How many are connected, and have said what they say at once.
    pub fn engaged(&self) -> usize {
        self.counts.engaged.load(Ordering::SeqCst)
    }

    /// How many connections are over.
    pub fn ended(&self) -> usize {
        self.counts.ended.load(Ordering::SeqCst)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = self.leave.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One connection, from its beginning to its end.
async fn once(address: SocketAddr, manner: &Manner, counts: &Counts) {
    let beginning = match manner {
        Manner::Drips { beginning, .. } => beginning,
        Manner::Sips { request, .. } => request,
    };
    let begun = async {
        let mut stream = far(address).await?;
        stream.write_all(beginning).await?;
        Result::Ok(stream)
    };
    let Ok(stream) = begun.await else {
        return sleep(Duration::from_millis(100)).await;
    };
    counts.engaged.fetch_add(1, Ordering::SeqCst);
    // However it ends: it is over, and the next one begins.
    let _ = goes_on(stream, manner).await;
    counts.engaged.fetch_sub(1, Ordering::SeqCst);
    counts.ended.fetch_add(1, Ordering::SeqCst);
}

async fn goes_on(mut stream: TcpStream, manner: &Manner) -> Result<()> {
    match manner {
        Manner::Drips { piece, times, pause, .. } => {
            for _ in 0..*times {
                sleep(*pause).await;
                stream.write_all(piece).await?;
            }
            let mut answer = [0; 1024];
            while stream.read(&mut answer).await? > 0 {}
        }
        Manner::Sips { bytes, pause, .. } => {
            let mut taken = vec![0; *bytes];
            while stream.read(&mut taken).await? > 0 {
                sleep(*pause).await;
            }
        }
    }
    Ok(())
}

async fn far(address: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    SockRef::from(&socket).set_tcp_mss(1200)?;
    socket.connect(address).await
}
