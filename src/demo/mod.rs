//! `larder demo`: a slow origin, the proxy in front of it, and a tour whose
//! every line is really run and really measured.

mod origin;
mod tour;

use crate::app::{self, Running, Signals};
use crate::cli::{Client, say};
use crate::config::{AccessLog, Listen, Settings, Target};
use origin::Origin;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

/// Runs the demo. Ends after the tour if `once`; the status says whether all
/// was as it should be. Else it stays up until it is told to stop.
pub fn run(once: bool, listen: Option<&str>) -> ExitCode {
    let origin = match Origin::start() {
        Ok(origin) => origin,
        Err(error) => return failed(&format!("the origin cannot start: {error}")),
    };
    let running = match start(&origin, listen) {
        Ok(running) => running,
        Err(error) => return failed(&error),
    };
    let (Some(proxy), Some(admin)) = (running.addresses().first().copied(), running.admin()) else {
        return failed("there is no address to visit");
    };
    say(&format!("larder demo: origin  http://{} (embedded, 300 ms a page)", origin.address()));
    say(&format!("             cache   http://{proxy}"));
    say(&format!("             admin   http://{admin}"));
    say("");
    let good = tour::walk(&origin, client(proxy), client(admin));
    if once {
        running.stop();
        return if good { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    say("");
    say("It stays up. Try:");
    for line in [
        format!("curl -i http://{proxy}/articles/1"),
        format!("curl -i -X PURGE http://{proxy}/articles/1"),
        format!("curl -i -d 'text=New words.' http://{proxy}/articles/1"),
        format!("curl -i http://{admin}/v1/purge -d '{{\"tags\": [\"articles\"]}}'"),
        format!("{} get http://{proxy}/account", own_name()),
    ] {
        say(&format!("  {line}"));
    }
    say("Ctrl-C ends it.");
    if let Err(error) = until_told() {
        return failed(&error.to_string());
    }
    running.stop();
    ExitCode::SUCCESS
}

/// The command as it was called.
fn own_name() -> String {
    std::env::args().next().unwrap_or_else(|| "larder".to_string())
}

fn until_told() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        Signals::listen()?.told().await;
        Ok(())
    })
}

/// Starts the proxy on the usual ports, or on free ones if these are taken.
fn start(origin: &Origin, listen: Option<&str>) -> Result<Running, String> {
    let address = origin.address();
    let to = Target::Tcp { host: address.ip().to_string(), port: address.port() };
    let mut settings = Settings::new(to);
    settings.log.access = AccessLog::Off;
    if let Some(text) = listen {
        let address: SocketAddr = text
            .parse()
            .map_err(|_| format!("{text:?} is not an address such as 127.0.0.1:6081"))?;
        settings.listen = vec![Listen { text: text.into(), addresses: vec![address] }];
        settings.admin.listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        return app::start(&settings).map_err(|error| error.to_string());
    }
    app::start(&settings).or_else(|_| {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        settings.listen = vec![Listen { text: any.to_string(), addresses: vec![any] }];
        settings.admin.listen = Some(any);
        app::start(&settings).map_err(|error| error.to_string())
    })
}

fn client(address: SocketAddr) -> Client {
    Client::new(&address.to_string(), &address.to_string())
}

fn failed(message: &str) -> ExitCode {
    say(&format!("error: {message}"));
    ExitCode::FAILURE
}
