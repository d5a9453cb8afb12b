//! A stream that hyper writes answers to, and that writes interim responses
//! ahead of them.
//!
//! hyper flushes a stream only when it has written all it had. So what waits is
//! taken then and only then, and once taken it goes before whatever hyper writes
//! next: the head of the answer.

use crate::interim::Outlet;
use bytes::{Buf, Bytes};
use std::io::{ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(super) struct Ahead<S> {
    stream: S,
    outlet: Outlet,
    /// Taken, and not written yet.
    taken: Bytes,
}

impl<S> Ahead<S> {
    pub fn new(stream: S, outlet: Outlet) -> Ahead<S> {
        Ahead { stream, outlet, taken: Bytes::new() }
    }

    /// The stream itself.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncWrite + Unpin> Ahead<S> {
    fn poll_taken(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.taken.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.taken))?;
            if count == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.taken.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Ahead<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Ahead<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        ready!(self.poll_taken(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        ready!(self.poll_taken(cx))?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_taken(cx))?;
        if let Some(heads) = self.outlet.take() {
            self.taken = heads.into();
            ready!(self.poll_taken(cx))?;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interim::Interims;
    use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
    use http_body_util::Full;
    use hyper::body::Incoming;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use parking_lot::Mutex;
    use std::convert::Infallible;
    use std::pin::pin;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    const GET: &str = "GET /hinted HTTP/1.1\r\nHost: x\r\n\r\n";
    const DELETE: &str = "DELETE /plain HTTP/1.1\r\nHost: x\r\n\r\n";
    const HINTED: &str = "HTTP/1.1 103 Early Hints\r\nlink: one\r\n\r\n\
        HTTP/1.1 103 Early Hints\r\nlink: two\r\n\r\n\
        HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nanswer";
    const PLAIN: &str = "HTTP/1.1 204 No Content\r\n\r\n";

    fn tell(interims: &Interims, link: &'static str) {
        let mut fields = HeaderMap::new();
        fields.insert("link", HeaderValue::from_static(link));
        interims.tell(StatusCode::EARLY_HINTS, &fields);
    }

    /// Told of one at once, and of the other by someone else together with the
    /// answer.
    async fn hinted(interims: Interims) -> Response<Full<Bytes>> {
        tell(&interims, "one");
        let other = tokio::spawn(async move {
            tokio::task::yield_now().await;
            tell(&interims, "two");
        });
        other.await.expect("it is told");
        Response::new(Full::from("answer"))
    }

    async fn serve(stream: DuplexStream) {
        let outlet = Outlet::default();
        let stream = Ahead::new(stream, outlet.clone());
        let told: Mutex<Vec<Interims>> = Mutex::default();
        let service = service_fn(move |request: Request<Incoming>| {
            let turn = outlet.begin();
            let interims = turn.interims(request.version());
            let mut told = told.lock();
            told.iter().for_each(|over| tell(over, "late"));
            told.push(interims.clone());
            async move {
                let answering = pin!(async {
                    if request.uri().path() == "/hinted" {
                        return hinted(interims).await;
                    }
                    let mut plain = Response::new(Full::default());
                    *plain.status_mut() = StatusCode::NO_CONTENT;
                    plain
                });
                Ok::<_, Infallible>(turn.until(answering).await)
            }
        });
        let mut server = http1::Builder::new();
        server.half_close(true).auto_date_header(false);
        server.serve_connection(TokioIo::new(stream), service).await.expect("all is answered");
    }

    /// What a client reads that sent all of this first, by a stream that holds
    /// so many bytes.
    async fn read(requests: &str, room: usize) -> String {
        let (mut client, stream) = duplex(room);
        let server = tokio::spawn(serve(stream));
        let mut text = String::new();
        let (mut reader, mut writer) = tokio::io::split(&mut client);
        let sent = async {
            writer.write_all(requests.as_bytes()).await.expect("it is sent");
            // Nothing is read until the server can do no more.
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            writer.shutdown().await.expect("the end");
        };
        let received = async { reader.read_to_string(&mut text).await.expect("text") };
        if requests.len() <= room {
            sent.await;
            received.await;
        } else {
            tokio::join!(sent, received);
        }
        server.await.expect("no panic");
        text
    }

    #[tokio::test]
    async fn interim_responses_stand_between_answers_however_little_is_taken_at_a_time() {
        let cases: [(&[&str], &[&str]); 4] = [
            (&[GET], &[HINTED]),
            (&[GET, GET, GET], &[HINTED, HINTED, HINTED]),
            (&[DELETE, GET, DELETE, GET], &[PLAIN, HINTED, PLAIN, HINTED]),
            (&[GET, DELETE, DELETE, DELETE, GET], &[HINTED, PLAIN, PLAIN, PLAIN, HINTED]),
        ];
        for (requests, answers) in cases {
            for room in [1, 2, 3, 7, 20, 50, 80, 100, 130, 1000, 10_000] {
                assert_eq!(read(&requests.concat(), room).await, answers.concat(), "{room}");
            }
        }
    }
}
