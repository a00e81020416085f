"""A WordPress of its own on loopback: the system's package, a database server beside it, and nobody else in it."""

import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from socialhub.embedded import processes
from tests.end_to_end.told import Skipped
from tests.launcher.house import eventually, free_port

PACKAGES = ("wordpress", "mariadb-server-core", "php-cli", "php-mysql")
TREE = Path("/usr/share/wordpress")
PROGRAMS = ("mariadbd", "mariadb-install-db", "php")

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
$table_prefix = 'wp_';
define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_ENVIRONMENT_TYPE', 'local');  // application passwords without TLS
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""


def install() -> None:
    """From the system's packages, if need be. Raises Skipped where that can not be."""
    if TREE.is_dir() and all(map(shutil.which, PROGRAMS)):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Skipped(f"this needs packages of your system: apt install {' '.join(PACKAGES)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for words in (("update", "-qq"), ("install", "-y", "-qq", "--no-install-recommends", *PACKAGES)):
        done = subprocess.run(["apt-get", *words], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Skipped(f"apt-get {words[0]} failed: {done.stderr.strip()[-200:]}")


@contextmanager
def running(folder: Path) -> Iterator["Site"]:
    """A site with one article, ready to be commented on."""
    install()
    folder.mkdir()
    with _database(folder) as socket, _pages(folder, socket) as address:
        site = Site(folder, address)
        site.set_up()
        yield site


@contextmanager
def _database(folder: Path) -> Iterator[Path]:
    data, socket = folder / "data", folder / "mariadb.sock"
    user = ["--user=root"] if os.geteuid() == 0 else []
    asked = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", f"--datadir={data}"]
    subprocess.run([*asked, *user], capture_output=True, check=True)
    command = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking", *user]
    pid = processes.start([*command, f"--pid-file={folder}/mariadb.pid"], folder / "mariadb.log", folder)
    try:
        eventually(socket.exists, 60)
        yield socket
    finally:
        processes.end([pid], 15)


@contextmanager
def _pages(folder: Path, socket: Path) -> Iterator[str]:
    tree = folder / "site"
    # What the package keeps as links to other packages has to be there in itself.
    shutil.copytree(TREE, tree, ignore_dangling_symlinks=True)
    (tree / "wp-config.php").write_text(CONFIG.format(socket=socket))
    address = f"127.0.0.1:{free_port()}"
    made = "$line = new mysqli('localhost', 'root', '', '', 0, $argv[1]); $line->query('CREATE DATABASE wordpress');"
    subprocess.run(["php", "-r", made, str(socket)], check=True)
    environment = os.environ | {"PHP_CLI_SERVER_WORKERS": "3"}
    pid = processes.start(["php", "-S", address, "-t", str(tree)], folder / "php.log", folder, env=environment)
    try:
        eventually(lambda: _answers(f"http://{address}/license.txt"), 20)
        yield f"http://{address}"
    finally:
        # The pages' workers are children that nobody else ends.
        os.killpg(pid, signal.SIGTERM)
        processes.end([pid], 5)


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@dataclass
class Site:
    """What a visitor and its owner do on it."""

    folder: Path
    address: str
    quiet_until: float = 0

    @property
    def comments_feed(self) -> str:
        return f"{self.address}/?feed=comments-rss2"

    def set_up(self) -> None:
        """As its owner does in the browser on the first day."""
        form = {"weblog_title": "Mirabelo bikes", "user_name": "owner", "admin_email": "owner@example.org"}
        form |= {"admin_password": "a long enough word", "admin_password2": "a long enough word", "pw_weak": "1"}
        self._post("/wp-admin/install.php?step=2", form | {"blog_public": "1", "language": ""})
        self.php("update_option('comment_previously_approved', 0);")

    def publish(self, title: str, text: str) -> None:
        """The owner publishes an article."""
        self.php(
            "wp_insert_post(['post_title' => $argv[1], 'post_content' => $argv[2], 'post_status' => 'publish']);",
            title,
            text,
        )

    def comment(self, who: str, text: str) -> None:
        """A visitor comments on the first article, by the form below it."""
        # The guard against floods lets one through in fifteen seconds.
        time.sleep(max(0, self.quiet_until - time.monotonic()))
        self.quiet_until = time.monotonic() + 16
        form = {"author": who, "email": f"{who}@example.org", "comment": text, "comment_post_ID": "1"}
        self._post("/wp-comments-post.php", form | {"comment_parent": "0", "submit": "Post Comment"})

    def hold_comments(self, held: bool) -> None:
        """Whether what visitors write waits until the owner approves it."""
        self.php(f"update_option('comment_moderation', {int(held)});")

    def approve(self, text: str) -> None:
        """The owner approves what waits and says this."""
        self.php(
            "foreach (get_comments(['status' => 'hold']) as $each) if ($each->comment_content === $argv[1])"
            " wp_set_comment_status($each->comment_ID, 'approve');",
            text,
        )

    def many_comment(self, number: int, words: str) -> None:
        """So many visitors at once, past the guard against floods."""
        self.php(
            "for ($i = 1; $i <= (int) $argv[1]; $i++) wp_insert_comment(['comment_post_ID' => 1,"
            " 'comment_approved' => 1, 'comment_author' => \"visitor$i\","
            " 'comment_author_email' => \"visitor$i@example.org\", 'comment_content' => \"$argv[2] $i\"]);",
            str(number),
            words,
        )

    def application_password(self) -> str:
        """One for a program of the owner's."""
        return self.php("echo WP_Application_Passwords::create_new_application_password(1, ['name' => 'hub'])[0];")

    def php(self, code: str, *words: str) -> str:
        """Do something as the site itself."""
        loaded = f"$_SERVER['HTTP_HOST'] = '{self.address[7:]}'; require '{self.folder}/site/wp-load.php'; {code}"
        done = subprocess.run(["php", "-r", loaded, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def _post(self, path: str, form: dict[str, str]) -> None:
        with urllib.request.urlopen(f"{self.address}{path}", urlencode(form).encode(), timeout=60) as answer:
            answer.read()
