//! What `topicframe kernel install` and `uninstall` write, replace and remove: the user's files always stay.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::kernel::{Machine, said};

/// The contents of a folder: a file's content, a link's target, or that it is a folder.
type Content = BTreeMap<PathBuf, String>;

fn content(folder: &Path) -> Content {
    let mut found = Content::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let data = fs::symlink_metadata(&path).unwrap();
        if data.is_symlink() {
            found.insert(path.clone(), format!("link to {}", fs::read_link(&path).unwrap().display()));
        } else if data.is_dir() {
            found.insert(path.clone(), "folder".to_owned());
            found.extend(content(&path));
        } else if data.len() > 1_000_000 {
            found.insert(path.clone(), format!("{} bytes", data.len()));
        } else {
            found.insert(path.clone(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
        }
    }
    found
}

const INSTALL: [&str; 4] = ["install", "--source", "source", "--skip-test-cell"];

fn with_folder<'a>(arguments: &[&'a str], folder: &'a str) -> Vec<&'a str> {
    arguments.iter().copied().chain(["--folder", folder]).collect()
}

/// Builds like cargo, as far as file names are concerned.
const BUILD: &str = "/bin/mkdir -p target/release/deps target/release/build target/tmp\n\
                     echo x > target/release/deps/libpolars.rlib\necho x > target/.rustc_info.json\n\
                     echo x > target/release/libtopicframe_notebook.so";

fn builder() -> Machine {
    let machine = Machine::new();
    machine.cargo(BUILD);
    machine
}

#[test]
fn a_folder_that_holds_anything_is_refused_and_stays_as_it_is() {
    let machine = builder();
    let own: [&[&str]; 6] = [
        &["mine/sources/src/thesis.tex", "mine/bin/tool", "mine/config/a.toml", "mine/library/src/book.rs"],
        &["mine/sources/src/lib.rs"],
        &["mine/.hidden"],
        &["mine/library/target/release/deps/mine"],
        &["mine/installed.json"],
        &["mine/topicframe-kernel"],
    ];
    for paths in own {
        for path in paths {
            machine.file(path, "mine");
        }
        let before = content(machine.base().join("mine").as_path());
        let told = machine.refuses(&with_folder(&INSTALL, "mine"));
        assert!(told.contains("not topicframe's") && told.contains("--folder"), "{paths:?}: {told}");
        let mut uninstall = machine.command(env!("CARGO_BIN_EXE_topicframe"));
        uninstall.args(["kernel", "uninstall", "--folder", "mine"]).output().unwrap();
        assert_eq!(content(&machine.base().join("mine")), before, "{paths:?}");
        fs::remove_dir_all(machine.base().join("mine")).unwrap();
    }
    // An existing empty folder, and one containing only links.
    fs::create_dir(machine.base().join("mine")).unwrap();
    symlink(machine.base().join("source"), machine.base().join("mine/sources")).unwrap();
    let before = content(&machine.base().join("source"));
    machine.refuses(&with_folder(&INSTALL, "mine"));
    machine.does(&with_folder(&["uninstall"], "mine"));
    assert_eq!(content(&machine.base().join("source")), before);
    assert_eq!(content(&machine.base().join("mine")).len(), 1);
    // A link to a folder that is not empty.
    symlink(machine.base().join("source"), machine.base().join("link")).unwrap();
    assert!(machine.refuses(&with_folder(&INSTALL, "link")).contains("not topicframe's"));
    machine.does(&with_folder(&["uninstall"], "link"));
    assert_eq!(content(&machine.base().join("source")), before);
    fs::remove_file(machine.base().join("mine/sources")).unwrap();
    machine.does(&with_folder(&INSTALL, "mine"));
    machine.does(&with_folder(&INSTALL, "mine"));
    machine.does(&with_folder(&["uninstall"], "mine"));
    assert!(!machine.base().join("mine").exists(), "a folder that was empty is removed");
}

#[test]
fn files_of_the_user_in_every_folder_survive_all_that_is_done() {
    let machine = builder();
    machine.install();
    let root = machine.root();
    // A kernel that has been run.
    assert!(machine.start().output().unwrap().status.success());
    fs::create_dir_all(root.join("slots/0/target/debug")).unwrap();
    fs::write(root.join("slots/0/target/debug/cell.so"), "x").unwrap();
    fs::write(root.join("slots/0/Cargo.toml"), "x").unwrap();
    let inside = ["library/target/release/deps", "library/target/release/build", "library/target/tmp"];
    let cached = |path: &Path| {
        inside.iter().any(|inside| path.starts_with(root.join(inside))) || path.starts_with(root.join("slots/0/target"))
    };
    let folders: Vec<PathBuf> = content(&root)
        .into_iter()
        .filter(|(path, what)| what == "folder" && !cached(path) && !path.ends_with("slots/0/src"))
        .map(|(path, _)| path)
        .chain([root.clone(), machine.kernelspec()])
        .collect();
    assert!(folders.len() > 15, "{folders:?}");
    let mut own = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        // Rust files next to the sources are compiled with them, and are therefore in the analysis.
        for name in ["mine.txt".to_owned(), format!("notes{number}.rs"), "my folder/deep.txt".to_owned()] {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "mine").unwrap();
            own.push(path);
        }
    }
    let lost = |own: &[PathBuf]| {
        let lost = own.iter().filter(|path| !fs::read_to_string(path).is_ok_and(|text| text == "mine"));
        lost.cloned().collect::<Vec<_>>()
    };
    machine.install();
    assert_eq!(lost(&own), Vec::<PathBuf>::new());
    // A removed source, a new version, and a failed build.
    fs::remove_file(machine.base().join("source/src/old.rs")).unwrap();
    machine.install();
    assert!(!root.join("sources/src/old.rs").exists());
    machine.cargo("exit 101");
    machine.refuses(&INSTALL);
    assert_eq!(lost(&own), Vec::<PathBuf>::new());
    let told = machine.does(&["uninstall"]);
    assert_eq!(lost(&own), Vec::<PathBuf>::new());
    assert!(told.contains("left ") && told.contains("mine.txt"), "{told}");
    let left = content(&machine.home());
    let ours: Vec<_> = left.iter().filter(|(_, what)| *what != "folder" && *what != "mine").collect();
    assert!(ours.is_empty(), "{ours:?}");
    // It is the user's folder now.
    machine.cargo(BUILD);
    machine.refuses(&INSTALL);
    assert_eq!(content(&machine.home()), left);
}

/// Each of the kernel's folders is replaced by a link to a user's folder that looks the same.
#[test]
fn links_in_place_of_folders_are_never_followed() {
    let parts = [
        "sources",
        "sources/src",
        "library",
        "library/src",
        "library/target",
        "library/target/release",
        "library/target/release/deps",
        "front",
        "front/src",
        "analysis",
        "analysis/topicframe-0.1.0",
        "analysis/polars-0.55.2/src",
        "config",
        "slots",
        "slots/0",
        "slots/0/target",
        "bin",
    ];
    for part in parts {
        let machine = builder();
        machine.install();
        assert!(machine.start().output().unwrap().status.success());
        fs::create_dir_all(machine.root().join("slots/0/target")).unwrap();
        let outside = machine.base().join("outside");
        fs::rename(machine.root().join(part), &outside).unwrap();
        fs::write(outside.join("more.rs"), "mine").unwrap();
        symlink(&outside, machine.root().join(part)).unwrap();
        // Everything is out of date.
        machine.file("source/src/model.rs", "pub struct Model(i32);\n");
        fs::remove_file(machine.base().join("source/src/old.rs")).unwrap();
        let before = content(&outside);
        let mut install = machine.command(env!("CARGO_BIN_EXE_topicframe"));
        let output = install.arg("kernel").args(INSTALL).output().unwrap();
        assert!(
            part.starts_with("slots") || !output.status.success() && said(&output).contains("in the way"),
            "{part}: {}",
            said(&output)
        );
        // Cargo writes its output through a link, which we cannot prevent.
        let same = |when: &str| {
            let mut now = content(&outside);
            now.retain(|path, _| before.contains_key(path));
            assert_eq!(now, before, "{part} after the {when}");
        };
        same("installation");
        let _ = machine.start().output().unwrap();
        same("start of a kernel");
        machine.does(&["uninstall"]);
        same("removal");
        assert!(
            fs::symlink_metadata(machine.root().join(part)).unwrap().is_symlink(),
            "{part}: the link is the user's"
        );
    }
}

#[test]
fn a_link_in_place_of_a_file_is_not_written_through() {
    for file in ["installed.json", "bin/topicframe", "config/evcxr.toml", "sources/src/model.rs", "front/build.rs"] {
        let machine = builder();
        machine.install();
        let own = machine.file("thesis.tex", "mine");
        let path = machine.root().join(file);
        fs::remove_file(&path).unwrap();
        symlink(&own, &path).unwrap();
        let told = machine.refuses(&INSTALL);
        assert!(told.contains("in the way") && told.contains(file), "{told}");
        machine.does(&["uninstall"]);
        assert_eq!(fs::read_to_string(&own).unwrap(), "mine", "{file}");
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    }
}

#[test]
fn a_list_from_elsewhere_removes_nothing_but_the_kernels_parts() {
    let machine = builder();
    machine.install();
    let root = machine.root();
    let own = [
        machine.file("victim/thesis.tex", "mine"),
        machine.file("victim/src/lib.rs", "mine"),
        machine.file("home/.local/share/topicframe/beside.txt", "mine"),
    ];
    let kept = [root.join("mine.txt"), root.join("papers/a.tex"), root.join("config/papers/a.tex")];
    for path in &kept {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    }
    symlink(machine.base().join("victim"), root.join("front/linked")).unwrap();
    let victim = machine.base().join("victim").display().to_string();
    let marker = root.join("topicframe-kernel");
    let mut list = fs::read_to_string(&marker).unwrap();
    for line in [
        format!("file \"{victim}/thesis.tex\""),
        format!("tree \"{victim}\""),
        "file \"../beside.txt\"".to_owned(),
        "file \"sources/../../beside.txt\"".to_owned(),
        "tree \"..\"".to_owned(),
        "tree \".\"".to_owned(),
        "tree \"\"".to_owned(),
        "file \"mine.txt\"".to_owned(),
        "tree \"papers\"".to_owned(),
        "tree \"config/papers\"".to_owned(),
        "tree \"config\"".to_owned(),
        "tree \"library\"".to_owned(),
        "tree \"library/target/../../config\"".to_owned(),
        "file \"front/linked/thesis.tex\"".to_owned(),
        "tree \"front/linked/src\"".to_owned(),
        "file \"front/linked\"".to_owned(),
        "folder \"config/papers/a.tex\"".to_owned(),
        "file \"config/papers\"".to_owned(),
        "tree \"slots/0/../..\"".to_owned(),
        "file".to_owned(),
        "nonsense \"config/papers/a.tex\"".to_owned(),
        "file config/papers/a.tex".to_owned(),
        "file \"config/papers/a.tex".to_owned(),
    ] {
        list += &line;
        list.push('\n');
    }
    // Truncated in the middle of a line.
    list += "file \"config/pap";
    fs::write(&marker, list).unwrap();
    fs::remove_file(machine.base().join("source/src/old.rs")).unwrap();
    machine.install();
    machine.does(&["uninstall"]);
    for path in own.iter().chain(&kept) {
        assert_eq!(fs::read_to_string(path).unwrap(), "mine", "{}", path.display());
    }
    assert!(fs::symlink_metadata(root.join("front/linked")).unwrap().is_symlink());
    let left = content(&root);
    assert!(left.values().all(|what| what == "mine" || what == "folder" || what.starts_with("link")), "{left:?}");
}

/// A file that replaces a removed one belongs to the user.
#[test]
fn a_name_that_is_free_again_is_free_for_the_user() {
    let machine = builder();
    machine.install();
    fs::remove_file(machine.base().join("source/src/old.rs")).unwrap();
    machine.install();
    let path = machine.root().join("sources/src/old.rs");
    fs::write(&path, "mine").unwrap();
    machine.install();
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    machine.file("source/src/old.rs", "pub struct Old;\n");
    let told = machine.refuses(&INSTALL);
    assert!(told.contains("in the way") && told.contains("old.rs"), "{told}");
    machine.does(&["uninstall"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

/// An installation by the version before the file list was introduced.
fn earlier(machine: &Machine) {
    machine.install();
    assert!(machine.start().output().unwrap().status.success());
    let marker = "The kernel of topicframe for Jupyter. `topicframe kernel uninstall` removes it.\n";
    fs::write(machine.root().join("topicframe-kernel"), marker).unwrap();
    let lock = "version = 4\n[[package]]\nname = \"topicframe\"\n[[package]]\nname = \"topicframe-notebook\"\n";
    fs::write(machine.root().join("library/Cargo.lock"), lock).unwrap();
    fs::write(machine.root().join("sources/Cargo.lock"), lock).unwrap();
}

#[test]
fn what_earlier_versions_installed_is_rebuilt_and_removed_as_far_as_it_is_known() {
    let mine = ["sources/src/thesis.tex", "analysis/a.csv", "bin/tool", "config/mine.toml", "slots/3/a", "library/x"];
    let own = |machine: &Machine| {
        for path in mine {
            let path = machine.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "mine").unwrap();
        }
    };
    let survives = |machine: &Machine| {
        for path in mine {
            assert_eq!(fs::read_to_string(machine.root().join(path)).unwrap(), "mine", "{path}");
        }
    };
    // Removed immediately: files recognized as the kernel's by their content are removed; sources stay and are
    // reported.
    let machine = builder();
    earlier(&machine);
    own(&machine);
    let told = machine.does(&["uninstall"]);
    survives(&machine);
    assert!(told.contains("left ") && told.contains("sources/src"), "{told}");
    for gone in ["library/target", "library/Cargo.toml", "bin/topicframe", "front", "config/evcxr.toml", "slots/0"] {
        assert!(!machine.root().join(gone).exists(), "{gone}");
    }
    assert!(!machine.kernelspec().exists());

    // Rebuilt first, in two attempts: everything that is rewritten is then recorded.
    let machine = builder();
    earlier(&machine);
    own(&machine);
    machine.cargo("exit 101");
    machine.refuses(&INSTALL);
    machine.cargo(BUILD);
    machine.install();
    survives(&machine);
    assert!(machine.start().output().unwrap().status.success());
    machine.does(&["uninstall"]);
    survives(&machine);
    let left = content(&machine.root());
    assert!(left.values().all(|what| what == "mine" || what == "folder"), "{left:?}");

    // Without other files, nothing is left.
    let machine = builder();
    earlier(&machine);
    machine.install();
    machine.does(&["uninstall"]);
    assert!(!machine.root().exists(), "{:?}", content(&machine.root()));

    // A user's folder that an earlier version marked before its build failed.
    let machine = builder();
    let path = machine.file("mine/config/evcxr.toml", "mine");
    let marker = "The kernel of topicframe for Jupyter. `topicframe kernel uninstall` removes it.\n";
    machine.file("mine/topicframe-kernel", marker);
    machine.refuses(&with_folder(&INSTALL, "mine"));
    machine.does(&with_folder(&["uninstall"], "mine"));
    assert_eq!(fs::read_to_string(path).unwrap(), "mine");
}

fn wait_for(path: &Path) {
    let started = Instant::now();
    while !path.exists() {
        assert!(started.elapsed() < Duration::from_secs(20), "{} has not appeared", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn two_installations_do_not_share_a_folder() {
    let machine = builder();
    machine.cargo(&format!("{BUILD}\n/bin/touch BASE/building\nwhile [ -e BASE/building ]; do /bin/sleep 0.02; done"));
    let mut command = machine.command(env!("CARGO_BIN_EXE_topicframe"));
    command.arg("kernel").args(INSTALL).stdout(Stdio::null()).stderr(Stdio::null());
    let mut first = command.spawn().unwrap();
    wait_for(&machine.base().join("building"));
    for arguments in [&INSTALL[..], &["uninstall"]] {
        let told = machine.refuses(arguments);
        assert!(told.contains("is running in this folder"), "{told}");
    }
    fs::remove_file(machine.base().join("building")).unwrap();
    assert!(first.wait().unwrap().success());
    machine.cargo(BUILD);
    machine.install();
    machine.does(&["uninstall"]);
    assert!(!machine.root().exists());
}

/// Whenever it is killed, the files it has written are recorded.
#[test]
fn an_installation_that_is_killed_can_be_removed_or_go_on() {
    let machine = Machine::new();
    machine.cargo(&format!("echo > BASE/$$.busy\n{BUILD}\n/bin/rm BASE/$$.busy"));
    let run = |delay: u64| {
        let mut command = machine.command(env!("CARGO_BIN_EXE_topicframe"));
        command.arg("kernel").args(INSTALL).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap().success()
    };
    for round in 0..24 {
        run(4 + 5 * round);
        // cargo is not killed with it.
        std::thread::sleep(Duration::from_millis(100));
        while fs::read_dir(machine.base())
            .unwrap()
            .any(|entry| entry.unwrap().path().extension().is_some_and(|e| e == "busy"))
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        if round % 3 == 0 {
            machine.install();
        }
        machine.does(&["uninstall"]);
        // It may have been killed before it wrote anything.
        let left: Vec<_> = content(&machine.root()).into_iter().filter(|(_, text)| !text.is_empty()).collect();
        assert!(left.is_empty(), "round {round}: {left:?}");
        assert!(!machine.kernelspec().exists(), "round {round}: {:?}", content(&machine.kernelspec()));
    }
}

#[test]
fn another_kernel_of_the_same_name_is_left_alone() {
    let machine = builder();
    let spec = machine.kernelspec();
    fs::create_dir_all(&spec).unwrap();
    fs::write(spec.join("kernel.json"), "{\"argv\": [\"/usr/bin/other\", \"{connection_file}\"]}").unwrap();
    fs::write(spec.join("logo-svg.svg"), "<svg/>").unwrap();
    let before = content(&machine.home());
    let told = machine.refuses(&INSTALL);
    assert!(told.contains("another kernel") && told.contains("--prefix"), "{told}");
    machine.does(&["uninstall"]);
    assert_eq!(content(&machine.home()), before);

    // Its folder, or its file, is a link.
    fs::remove_dir_all(&spec).unwrap();
    let own = machine.file("elsewhere/kernel.json", "mine");
    symlink(own.parent().unwrap(), &spec).unwrap();
    assert!(machine.refuses(&INSTALL).contains("in the way"));
    fs::remove_file(&spec).unwrap();
    fs::create_dir(&spec).unwrap();
    symlink(&own, spec.join("kernel.json")).unwrap();
    assert!(machine.refuses(&INSTALL).contains("in the way"));
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");

    // The user's logo stays.
    fs::remove_file(spec.join("kernel.json")).unwrap();
    fs::write(spec.join("logo-svg.svg"), "mine").unwrap();
    machine.install();
    machine.install();
    machine.does(&["uninstall"]);
    assert_eq!(content(&spec).values().collect::<Vec<_>>(), ["mine"]);
}
