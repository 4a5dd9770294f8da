//! The Hub's side of a push, simulated: repositories with branches, and a storage for large files on another address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::hub_server::{Reply, Request, Server, Site, sha256};

/// The token of the user `tester`, who may write to `tester/...` and `team/...`.
pub const TOKEN: &str = "hf_of_tester";

/// The token of somebody who may only read.
pub const READER: &str = "hf_of_reader";

/// How the Hub wants files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// Parts of this size; otherwise whole files.
    pub chunk_size: Option<usize>,
    /// Whether uploads are to be verified.
    pub verify: bool,
    /// Whether uploads first go to the Hub, which sends them on to the storage.
    pub forwards: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub large: bool,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
pub struct Branch {
    pub commit: String,
    pub files: BTreeMap<String, Content>,
    /// The newest last.
    pub messages: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Repository {
    pub private: bool,
    /// By name; pull requests are `refs/pr/1` and so on.
    pub branches: BTreeMap<String, Branch>,
}

#[derive(Default)]
struct State {
    repositories: BTreeMap<String, Repository>,
    /// The storage, by SHA-256.
    objects: BTreeMap<String, Vec<u8>>,
    parts: BTreeMap<(String, u64), Vec<u8>>,
    commits: usize,
}

/// The Hub's repositories. Clones share them.
#[derive(Clone, Default)]
pub struct Repositories {
    state: Arc<Mutex<State>>,
    rules: Rules,
}

type Handled = Result<Reply, Reply>;

impl Repositories {
    pub fn with(rules: Rules) -> Self {
        Repositories { rules, ..Repositories::default() }
    }

    /// A server with these repositories.
    pub fn serve(&self) -> Server {
        let all = self.clone();
        Server::with(Site::new("", &[]), move |site, request| all.reply(site, request))
    }

    pub fn create(&self, id: &str, private: bool) {
        let start = Branch { commit: "0".repeat(40), ..Branch::default() };
        let branches = BTreeMap::from([("main".to_owned(), start)]);
        self.state().repositories.insert(id.to_owned(), Repository { private, branches });
        let attributes = Content { large: false, bytes: b"*.bin filter=lfs".to_vec() };
        self.change(id, "main", |branch| drop(branch.files.insert(".gitattributes".to_owned(), attributes)));
    }

    /// A commit by somebody else.
    pub fn change(&self, id: &str, branch: &str, change: impl FnOnce(&mut Branch)) {
        let mut state = self.state();
        state.commits += 1;
        let commit = sha256(state.commits.to_string().as_bytes())[..40].to_owned();
        let branch = state.repositories.get_mut(id).unwrap().branches.get_mut(branch).unwrap();
        change(branch);
        branch.commit = commit;
    }

    pub fn repository(&self, id: &str) -> Option<Repository> {
        self.state().repositories.get(id).cloned()
    }

    pub fn branch(&self, id: &str, branch: &str) -> Branch {
        self.repository(id).unwrap().branches[branch].clone()
    }

    /// The hashes of the storage's contents.
    pub fn objects(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn reply(&self, site: &Site, request: &Request) -> Reply {
        let handled = if request.at_store { self.store(site, request) } else { self.hub(site, request) };
        handled.unwrap_or_else(|refusal| refusal)
    }

    fn hub(&self, site: &Site, request: &Request) -> Handled {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<String> = path.trim_start_matches('/').split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match (request.method.as_str(), &parts[..]) {
            ("GET", ["api", "whoami-v2"]) => {
                writer(request)?;
                Ok(reply(&json!({ "name": "tester" })))
            }
            ("POST", ["api", "repos", "create"]) => self.create_repository(request),
            ("GET", ["api", "models", owner, name, "revision", revision]) => {
                let id = format!("{owner}/{name}");
                let repository = self.visible(&id, request)?;
                let branch = branch_of(&repository, revision)?;
                let files: Vec<Value> = branch.files.keys().map(|name| json!({ "rfilename": name })).collect();
                Ok(reply(&json!({ "sha": branch.commit, "private": repository.private, "siblings": files })))
            }
            ("POST", ["api", "models", owner, name, "branch", branch]) => {
                self.writable(&format!("{owner}/{name}"), request)?;
                self.create_branch(&format!("{owner}/{name}"), branch)
            }
            ("POST", ["api", "models", owner, name, "preupload", revision]) => {
                let id = format!("{owner}/{name}");
                let repository =
                    if query == "create_pr=1" { self.visible(&id, request)? } else { self.writable(&id, request)? };
                Ok(preupload(&branch_of(&repository, revision)?, request))
            }
            ("POST", ["api", "models", owner, name, "commit", revision]) => {
                self.commit(&format!("{owner}/{name}"), revision, query == "create_pr=1", request)
            }
            ("POST", [owner, name, "info", "lfs", "objects", "batch"]) => {
                self.visible(&format!("{owner}/{}", name.trim_end_matches(".git")), request)?;
                Ok(self.batch(site, request))
            }
            ("POST", ["complete", oid]) => self.complete(oid, request),
            ("POST", ["verify", oid]) => {
                writer(request)?;
                let is_there =
                    self.state().objects.get(*oid).is_some_and(|object| json_of(request)["size"] == object.len());
                if is_there { Ok(Reply::status(200)) } else { Err(refusal(404, "", "the object is not there")) }
            }
            ("PUT", ["put", ..]) if self.rules.forwards => {
                Ok(Reply::status(307).header("location", format!("http://{}{}", site.store.unwrap(), request.path)))
            }
            (_, [owner, name, "resolve", ..]) => {
                let id = format!("{owner}/{name}");
                Ok(self.file_site(&id, parts[3], site, request)?.reply(request))
            }
            _ => Err(refusal(404, "", "no such route")),
        }
    }

    /// The site that has the files of a commit, for downloads.
    fn file_site(&self, id: &str, commit: &str, site: &Site, request: &Request) -> Result<Site, Reply> {
        let repository = self.visible(id, request)?;
        let branch = repository.branches.values().find(|branch| branch.commit == commit);
        let files = branch.ok_or_else(|| refusal(404, "RevisionNotFound", ""))?.files.iter();
        let files = files.map(|(name, content)| (name.clone(), content.bytes.clone())).collect();
        Ok(Site { name: id.to_owned(), commit: commit.to_owned(), files, store: site.store })
    }

    /// The storage refuses tokens, as Amazon S3 does: its links are signed.
    fn store(&self, _: &Site, request: &Request) -> Handled {
        if request.headers.contains_key("authorization") {
            return Err(refusal(400, "", "only one auth mechanism allowed"));
        }
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), &parts[..]) {
            ("PUT", ["put", oid]) if sha256(&request.body) == *oid => {
                self.state().objects.insert((*oid).to_owned(), request.body.clone());
                Ok(Reply::status(200))
            }
            ("PUT", ["put", _]) => Err(refusal(400, "", "the content does not have this hash")),
            ("PUT", ["put", oid, part]) => {
                self.state().parts.insert(((*oid).to_owned(), part.parse().unwrap()), request.body.clone());
                Ok(Reply::status(200).header("etag", format!("\"part-{part}\"")))
            }
            ("GET", ["store", hash]) => {
                let content = self.state().objects.get(*hash).cloned();
                content.map(Reply::body).ok_or_else(|| Reply::status(404))
            }
            _ => Err(refusal(404, "", "no such place")),
        }
    }

    /// A repository that the request's token may read.
    fn visible(&self, id: &str, request: &Request) -> Result<Repository, Reply> {
        let repository = self.repository(id).ok_or_else(|| refusal(404, "RepoNotFound", "Repository not found"))?;
        match !repository.private || token(request) == Some(TOKEN) {
            true => Ok(repository),
            false => Err(refusal(404, "RepoNotFound", "Repository not found")),
        }
    }

    /// A repository that the request's token may write to.
    fn writable(&self, id: &str, request: &Request) -> Result<Repository, Reply> {
        let repository = self.visible(id, request)?;
        writer(request)?;
        match id.starts_with("tester/") || id.starts_with("team/") {
            true => Ok(repository),
            false => Err(refusal(403, "", "Forbidden: you must be a member of this organization")),
        }
    }

    fn create_repository(&self, request: &Request) -> Handled {
        writer(request)?;
        let wanted = json_of(request);
        assert_eq!(wanted["type"], "model");
        let (owner, name) = (wanted["organization"].as_str().unwrap(), wanted["name"].as_str().unwrap());
        let id = format!("{owner}/{name}");
        if self.repository(&id).is_some() {
            return Err(refusal(409, "", "You already created this model repo"));
        }
        if !["tester", "team"].contains(&owner) {
            return Err(refusal(403, "", "You don't have the rights to create a model under this namespace"));
        }
        self.create(&id, wanted["private"].as_bool().unwrap_or(false));
        Ok(reply(&json!({ "url": format!("https://hub/{id}") })))
    }

    fn create_branch(&self, id: &str, branch: &str) -> Handled {
        let mut state = self.state();
        let repository = state.repositories.get_mut(id).unwrap();
        if repository.branches.contains_key(branch) {
            return Err(refusal(409, "", "Reference already exists"));
        }
        let start = repository.branches["main"].clone();
        repository.branches.insert(branch.to_owned(), start);
        Ok(Reply::status(201))
    }

    fn batch(&self, site: &Site, request: &Request) -> Reply {
        let wanted = json_of(request);
        assert_eq!(wanted["operation"], "upload");
        assert_eq!(request.headers["content-type"], "application/vnd.git-lfs+json");
        let hub = format!("http://{}", request.headers["host"]);
        let store = format!("http://{}", site.store.unwrap());
        let describe = |object: &Value| {
            let (oid, size) = (object["oid"].as_str().unwrap(), object["size"].as_u64().unwrap() as usize);
            if self.state().objects.contains_key(oid) {
                return json!({ "oid": oid, "size": size });
            }
            let place = if self.rules.forwards { &hub } else { &store };
            let upload = match self.rules.chunk_size {
                None => json!({ "href": format!("{place}/put/{oid}"), "header": { "x-signed": "yes" } }),
                Some(chunk) => {
                    let part = |n: usize| (n.to_string(), Value::from(format!("{place}/put/{oid}/{n}")));
                    let mut header: serde_json::Map<String, Value> = (1..=size.div_ceil(chunk)).map(part).collect();
                    header.insert("chunk_size".to_owned(), Value::from(chunk.to_string()));
                    json!({ "href": format!("{hub}/complete/{oid}"), "header": header })
                }
            };
            let mut actions = json!({ "upload": upload });
            if self.rules.verify {
                actions["verify"] = json!({ "href": format!("{hub}/verify/{oid}") });
            }
            json!({ "oid": oid, "size": size, "actions": actions })
        };
        let objects: Vec<Value> = wanted["objects"].as_array().unwrap().iter().map(describe).collect();
        reply(
            &json!({ "transfer": if self.rules.chunk_size.is_some() { "multipart" } else { "basic" }, "objects": objects }),
        )
    }

    fn complete(&self, oid: &str, request: &Request) -> Handled {
        let (wanted, mut state) = (json_of(request), self.state());
        assert_eq!(wanted["oid"], oid);
        let mut whole = Vec::new();
        for (number, part) in (1..).zip(wanted["parts"].as_array().unwrap()) {
            assert_eq!((&part["partNumber"], &part["etag"]), (&json!(number), &json!(format!("\"part-{number}\""))));
            whole.extend(state.parts.remove(&(oid.to_owned(), number)).unwrap());
        }
        if sha256(&whole) != oid {
            return Err(refusal(400, "", "the parts do not have this hash"));
        }
        state.objects.insert(oid.to_owned(), whole);
        Ok(Reply::status(200))
    }

    fn commit(&self, id: &str, revision: &str, create_pr: bool, request: &Request) -> Handled {
        let repository = if create_pr { self.visible(id, request)? } else { self.writable(id, request)? };
        assert_eq!(request.headers["content-type"], "application/x-ndjson");
        let mut branch = branch_of(&repository, revision)?;
        for line in request.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_slice(line).unwrap();
            self.apply(&line, &mut branch)?;
        }
        let mut state = self.state();
        state.commits += 1;
        branch.commit = sha256(state.commits.to_string().as_bytes())[..40].to_owned();
        let branches = &mut state.repositories.get_mut(id).unwrap().branches;
        let pulls = branches.keys().filter(|name| name.starts_with("refs/pr/")).count();
        let mut answer = json!({ "success": true, "commitOid": branch.commit, "commitUrl": "https://hub/commit" });
        if create_pr {
            answer["pullRequestUrl"] =
                format!("http://{}/{id}/discussions/{}", request.headers["host"], pulls + 1).into();
            branches.insert(format!("refs/pr/{}", pulls + 1), branch);
        } else {
            branches.insert(revision.to_owned(), branch);
        }
        Ok(reply(&answer))
    }

    fn apply(&self, line: &Value, branch: &mut Branch) -> Result<(), Reply> {
        let (key, value) = (line["key"].as_str().unwrap(), &line["value"]);
        let path = value["path"].as_str().unwrap_or_default().to_owned();
        match key {
            "header" if value["parentCommit"] != json!(branch.commit) => {
                return Err(refusal(412, "", "A commit has happened since. Please refresh and try again."));
            }
            "header" => branch.messages.push(value["summary"].as_str().unwrap().to_owned()),
            "file" => {
                assert_eq!(value["encoding"], "base64");
                let bytes = STANDARD.decode(value["content"].as_str().unwrap()).unwrap();
                branch.files.insert(path, Content { large: false, bytes });
            }
            "lfsFile" => {
                let object = self.state().objects.get(value["oid"].as_str().unwrap()).cloned();
                let bytes = object.ok_or_else(|| refusal(400, "", "the LFS object was not uploaded"))?;
                assert!(value["algo"] == "sha256" && value["size"] == bytes.len());
                branch.files.insert(path, Content { large: true, bytes });
            }
            "deletedFile" => drop(branch.files.remove(&path).unwrap()),
            other => panic!("{other}"),
        }
        Ok(())
    }
}

fn preupload(branch: &Branch, request: &Request) -> Reply {
    let asked = json_of(request);
    let files = asked["files"].as_array().unwrap().iter().map(|file| {
        let path = file["path"].as_str().unwrap();
        assert!(STANDARD.decode(file["sample"].as_str().unwrap()).unwrap().len() <= 512);
        let large = path.ends_with(".safetensors") || path.ends_with(".bin");
        let oid = branch.files.get(path).map(identifier);
        json!({ "path": path, "uploadMode": if large { "lfs" } else { "regular" }, "shouldIgnore": false, "oid": oid })
    });
    reply(&json!({ "files": files.collect::<Vec<_>>() }))
}

/// The SHA-256 of a large file, and what `git hash-object` prints for others.
fn identifier(content: &Content) -> String {
    if content.large {
        return sha256(&content.bytes);
    }
    let header = format!("blob {}\0", content.bytes.len());
    let digest = Sha1::new().chain_update(header).chain_update(&content.bytes).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn branch_of(repository: &Repository, revision: &str) -> Result<Branch, Reply> {
    let at = |(name, branch): &(&String, &Branch)| *name == revision || branch.commit == revision;
    let found = repository.branches.iter().find(at).map(|(_, branch)| branch.clone());
    found.ok_or_else(|| refusal(404, "RevisionNotFound", "Invalid rev id"))
}

fn token(request: &Request) -> Option<&str> {
    request.headers.get("authorization")?.strip_prefix("Bearer ")
}

fn writer(request: &Request) -> Result<(), Reply> {
    match token(request) {
        Some(TOKEN) => Ok(()),
        Some(READER) => Err(refusal(403, "", "Forbidden: you need a token with the role write")),
        _ => Err(refusal(401, "", "Invalid username or password.")),
    }
}

pub fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let reply = Reply { status, ..reply(&json!({ "error": message })) };
    if code.is_empty() { reply } else { reply.header("x-error-code", code) }
}

fn reply(value: &Value) -> Reply {
    Reply::body(value.to_string())
}

fn json_of(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// Undoes the percent encoding of what these tests use.
fn decoded(part: &str) -> String {
    part.replace("%2F", "/").replace("%2B", "+")
}
