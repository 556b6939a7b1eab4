//! A plain nginx in front of the echo server: the floor that any HTTP proxy pays.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::process::Processes;
use crate::run::{Child, Run, poll};

/// The installed program; Debian puts it where only root's PATH looks.
pub(crate) fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|program| program.is_file())
}

/// A running nginx.
pub(super) struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    /// Starts one with two workers that keeps its connections to `upstream` open.
    pub(super) fn start(folder: &Path, upstream: &str) -> Result<Self> {
        let program = program().context("there is no nginx")?;
        fs::create_dir_all(folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let authority = upstream.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let settings = settings(folder, port, authority.context("the upstream's URL")?);
        let file = folder.join("nginx.conf");
        fs::write(&file, settings)?;
        let log = folder.join("log");
        let mut child = Run::server(program).arg("-c").arg(&file).arg("-p").arg(folder).log(&log)?.spawn()?;
        poll(Duration::from_secs(10), "nginx listens", || match child.ended()? {
            Some(status) => bail!("nginx ended with {status}: {}", fs::read_to_string(&log)?),
            None => Ok(TcpStream::connect(("127.0.0.1", port)).is_ok()),
        })?;
        Ok(Self { child, port })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Master and workers.
    pub(super) fn processes(&self) -> Result<Processes> {
        Processes::with_children(self.child.pid())
    }
}

fn settings(folder: &Path, port: u16, upstream: &str) -> String {
    // Without it, root's workers are user nobody, who may not write temporary files here.
    let user = if rustix::process::getuid().is_root() { "user root;\n" } else { "" };
    let folder = folder.display();
    format!(
        r"{user}daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    upstream echo {{
        server {upstream};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://echo;
            proxy_http_version 1.1;
            proxy_set_header Connection '';
        }}
    }}
}}
"
    )
}
