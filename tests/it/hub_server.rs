//! A small server that simulates the Hub and its failures.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// A received request.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Header names are lowercase.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// Whether it was sent to the second address, which has the large files.
    pub at_store: bool,
}

impl Request {
    /// The first requested byte.
    pub fn start(&self) -> Option<usize> {
        self.headers.get("range")?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
    }
}

/// A response.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The connection is closed after this many bytes of the body.
    pub cut: Option<usize>,
    /// The body, or the headers as well, are sent byte by byte with a pause after each.
    pub trickle: Option<Trickle>,
}

/// The pacing of a response.
#[derive(Debug, Clone, Copy)]
pub struct Trickle {
    pub pause: Duration,
    pub head: bool,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Reply { status, headers: Vec::new(), body: Vec::new(), cut: None, trickle: None }
    }

    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Reply { body: body.into(), ..Reply::status(200) }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sends the body byte by byte.
    pub fn trickling(mut self, pause: Duration) -> Self {
        self.trickle = Some(Trickle { pause, head: false });
        self
    }

    /// Sends the whole response, including the headers, byte by byte.
    pub fn trickling_from_the_head(mut self, pause: Duration) -> Self {
        self.trickle = Some(Trickle { pause, head: true });
        self
    }

    pub fn cut(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A model on the Hub.
#[derive(Debug, Clone)]
pub struct Site {
    pub name: String,
    pub commit: String,
    pub files: BTreeMap<String, Vec<u8>>,
    pub store: Option<SocketAddr>,
}

/// Extensions of large files, which the Hub redirects to its store.
const LARGE: [&str; 2] = [".safetensors", ".bin"];

impl Site {
    pub fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let files = files.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect();
        Site {
            name: name.to_owned(),
            commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            files,
            store: None,
        }
    }

    /// The response of a hub without failures.
    pub fn reply(&self, request: &Request) -> Reply {
        let path = request.path.trim_start_matches('/');
        if let Some(hash) = path.strip_prefix("store/").filter(|_| request.at_store) {
            let content = self.files.values().find(|content| sha256(content) == hash);
            return content
                .map_or(Reply::status(404), |content| part(content, request).header("etag", "\"of-the-store\""));
        }
        let revisions = ["main".to_owned(), self.commit.clone(), "refs%2Fpr%2F1".to_owned()];
        let is_listing = |revision: &String| path == format!("api/models/{}/revision/{revision}", self.name);
        if revisions.iter().any(is_listing) {
            let files: Vec<_> = self.files.keys().map(|name| serde_json::json!({ "rfilename": name })).collect();
            return Reply::body(serde_json::json!({ "sha": self.commit, "siblings": files }).to_string());
        }
        if path.starts_with(&format!("api/models/{}/", self.name)) {
            return Reply::status(404).header("x-error-code", "RevisionNotFound");
        }
        let file = path.strip_prefix(&format!("{}/resolve/{}/", self.name, self.commit));
        match file.and_then(|file| self.files.get_key_value(file)) {
            None => Reply::status(404).header("x-error-code", "RepoNotFound"),
            Some((name, content)) if LARGE.iter().any(|ending| name.ends_with(ending)) => {
                let store = self.store.unwrap();
                Reply::status(302)
                    .header("location", format!("http://{store}/store/{}", sha256(content)))
                    .header("x-linked-etag", format!("\"{}\"", sha256(content)))
                    .header("x-linked-size", content.len().to_string())
                    .header("x-repo-commit", &self.commit)
            }
            Some((_, content)) => part(content, request)
                .header("etag", format!("\"{}\"", &sha256(content)[..40]))
                .header("x-repo-commit", &self.commit),
        }
    }
}

fn part(content: &[u8], request: &Request) -> Reply {
    match request.start() {
        None => Reply::body(content),
        Some(start) if start < content.len() => {
            let range = format!("bytes {start}-{}/{}", content.len() - 1, content.len());
            Reply { status: 206, ..Reply::body(&content[start..]) }.header("content-range", range)
        }
        Some(_) => Reply::status(416),
    }
}

type Answer = dyn Fn(&Site, &Request) -> Reply + Send + Sync;

/// After how many bytes of its body a request is cut off, if at all.
type HangUp = dyn Fn(&Request) -> Option<usize> + Send + Sync;

/// Serves a site on two addresses until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub site: Site,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    addresses: [SocketAddr; 2],
}

impl Server {
    pub fn start(site: Site) -> Self {
        Server::with(site, Site::reply)
    }

    /// Uses the test's own responses, which may be based on those of the site.
    pub fn with(site: Site, answer: impl Fn(&Site, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Server::hanging_up(site, |_| None, answer)
    }

    /// Closes some connections while it receives.
    pub fn hanging_up(
        mut site: Site,
        hang_up: impl Fn(&Request) -> Option<usize> + Send + Sync + 'static,
        answer: impl Fn(&Site, &Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let [hub, store] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = [hub.local_addr().unwrap(), store.local_addr().unwrap()];
        site.store = Some(addresses[1]);
        let answer: Arc<Answer> = Arc::new(answer);
        let hang_up: Arc<HangUp> = Arc::new(hang_up);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let threads = [(hub, false), (store, true)].map(|(listener, at_store)| {
            let (answer, requests, stop, site) = (answer.clone(), requests.clone(), stop.clone(), site.clone());
            let hang_up = hang_up.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let (answer, requests, site) = (answer.clone(), requests.clone(), site.clone());
                    let hang_up = hang_up.clone();
                    std::thread::spawn(move || {
                        let stream = stream.unwrap();
                        let request = receive(&stream, at_store, &*hang_up, &requests);
                        request.map(|request| respond(stream, &request, &answer(&site, &request)))
                    });
                }
            })
        });
        Server { address: addresses[0], site, requests, stop, threads: threads.into(), addresses }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The requests for file contents in the store.
    pub fn downloads(&self) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.at_store).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for address in self.addresses {
            let _ = TcpStream::connect(address);
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The next request; nothing if there is none, or if its connection is closed.
fn receive(stream: &TcpStream, at_store: bool, hang_up: &HangUp, requests: &Mutex<Vec<Request>>) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let first = lines.next()?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let split = |line: String| line.split_once(':').map(|(n, v)| (n.to_lowercase(), v.trim().to_owned()));
    let headers: BTreeMap<String, String> = lines.filter_map(split).collect();
    assert!(!headers.contains_key("transfer-encoding"), "S3 takes no bodies of unknown length");
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut request = Request { method, path, headers, body: Vec::new(), at_store };
    let cut = hang_up(&request);
    let read = reader.take(cut.unwrap_or(length).min(length) as u64).read_to_end(&mut request.body);
    let is_whole = read.is_ok() && cut.is_none() && request.body.len() == length;
    requests.lock().unwrap().push(request.clone());
    is_whole.then_some(request)
}

fn respond(stream: TcpStream, request: &Request, reply: &Reply) {
    let mut head = format!("HTTP/1.1 {} Status\r\nconnection: close\r\n", reply.status);
    if !reply.headers.iter().any(|(name, _)| name == "content-length") {
        head.push_str(&format!("content-length: {}\r\n", reply.body.len()));
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    // The client may have disconnected, which is up to its test.
    let write = |bytes: &[u8], pause: Option<Duration>| match pause {
        None => (&stream).write_all(bytes).is_ok(),
        Some(pause) => bytes.iter().all(|byte| {
            std::thread::sleep(pause);
            (&stream).write_all(&[*byte]).is_ok()
        }),
    };
    let head_pause = reply.trickle.filter(|trickle| trickle.head).map(|trickle| trickle.pause);
    let open = write(format!("{head}\r\n").as_bytes(), head_pause);
    if open && request.method != "HEAD" {
        let body = &reply.body[..reply.cut.unwrap_or(reply.body.len()).min(reply.body.len())];
        write(body, reply.trickle.map(|trickle| trickle.pause));
    }
    let _ = (&stream).flush();
}
