//! nginx and Apache, as Debian has them, with bounds that are wider than larder's, and
//! nothing in their way of reading that isn't theirs.

use super::reader::{Server, WRITTEN_ANEW};
use super::recorder::Recorder;
use crate::harness::wait_until;
use socket2::{Domain, Socket, Type};
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

pub fn nginx() -> Server {
    started("nginx", |folder, address, behind| {
        let mut read = String::new();
        for name in WRITTEN_ANEW {
            let variable = name.to_ascii_lowercase().replace('-', "_");
            let _ = writeln!(read, "proxy_set_header Read-{name} $http_{variable};");
        }
        let configuration = format!(
            "master_process off;
            daemon off;
            pid {folder}/pid;
            events {{}}
            http {{
                access_log off;
                client_body_temp_path {folder}/client;
                proxy_temp_path {folder}/proxy;
                fastcgi_temp_path {folder}/fastcgi;
                scgi_temp_path {folder}/scgi;
                uwsgi_temp_path {folder}/uwsgi;
                # To see how names are read, and not which ones are kept.
                ignore_invalid_headers off;
                underscores_in_headers on;
                large_client_header_buffers 8 64k;
                client_max_body_size 0;
                keepalive_requests 1000000;
                keepalive_timeout 60s;
                server {{
                    listen {address};
                    location / {{
                        proxy_pass http://{behind};
                        proxy_set_header Host $http_host;
                        proxy_ignore_client_abort on;
                        {read}
                    }}
                }}
            }}"
        );
        let mut command = Command::new("nginx");
        command.args(["-p", folder, "-e", &format!("{folder}/errors"), "-c"]);
        (configuration, command)
    })
}

pub fn apache() -> Server {
    started("apache2", |folder, address, behind| {
        let mut read = String::new();
        for name in WRITTEN_ANEW {
            let value = format!("%{{HTTP:{name}}}");
            let _ = writeln!(
                read,
                "RequestHeader set Read-{name} \"expr={value}\" \"expr=-n {value}\""
            );
        }
        let modules = "/usr/lib/apache2/modules";
        let configuration = format!(
            "ServerName site.test
            DefaultRuntimeDir {folder}
            PidFile {folder}/pid
            ErrorLog {folder}/errors
            Listen {address}
            User www-data
            Group www-data
            LoadModule mpm_event_module {modules}/mod_mpm_event.so
            LoadModule authz_core_module {modules}/mod_authz_core.so
            LoadModule headers_module {modules}/mod_headers.so
            LoadModule proxy_module {modules}/mod_proxy.so
            LoadModule proxy_http_module {modules}/mod_proxy_http.so
            LimitRequestFields 1000
            LimitRequestFieldSize 65536
            LimitRequestLine 65536
            KeepAlive On
            KeepAliveTimeout 60
            MaxKeepAliveRequests 0
            AllowEncodedSlashes NoDecode
            ProxyPass / http://{behind}/ nocanon disablereuse=on
            ProxyPreserveHost On
            ProxyAddHeaders Off
            # What it asks behind it is a path that it has made of the target.
            RequestHeader set Read-Line expr=%{{THE_REQUEST}}
            {read}"
        );
        let mut command = Command::new("apache2");
        // One process, which is the one that is killed.
        command.args(["-X", "-d", folder, "-f"]);
        (configuration, command)
    })
}

/// Starts a server: `configured` has its configuration, and the command that is given
/// the file as one more argument.
fn started(
    name: &str,
    configured: impl Fn(&str, SocketAddr, SocketAddr) -> (String, Command),
) -> Server {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let behind = Recorder::start();
    let (reserved, address) = reserved();
    let path = folder.path().to_str().expect("a path").to_string();
    let (configuration, mut command) = configured(&path, address, behind.address);
    let file = folder.path().join("configuration");
    std::fs::write(&file, configuration).expect("the configuration is written");
    // Debian has them where not everybody looks.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    command.arg(&file).env("PATH", path).stdin(Stdio::null());
    let started = command.spawn();
    let child =
        started.unwrap_or_else(|error| panic!("no {name} ({error}): run scripts/setup-tests"));
    let mut server = Server { address, behind, child, folder };
    wait_until(&format!("{name} listens"), || {
        if let Some(status) = server.child.try_wait().expect("its status") {
            panic!("{name} ended with {status}:\n{}", errors(server.folder.path()));
        }
        TcpStream::connect(address).is_ok()
    });
    drop(reserved);
    server
}

fn errors(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("errors")).unwrap_or_default()
}

/// A port that nobody else is given while the socket is held, and where who asks for
/// this very one may listen.
fn reserved() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("an option");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).expect("a port");
    let address = socket.local_addr().expect("an address").as_socket().expect("an address");
    (socket, address)
}
