"""The manual's pages inside the house: for admins, with its own addresses, and nothing in them that could do harm."""

import pytest

from connectors import guides, registry


@pytest.fixture
def pages(tmp_path, monkeypatch):
    (tmp_path / "README.md").write_text("# All\n\n[Demo](demo.md), `https://hub.example.com/channels/signed-in/`")
    (tmp_path / "demo.md").write_text("| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>alert(1)</script> [x](javascript:1)")
    monkeypatch.setattr(guides, "FOLDER", tmp_path)
    guides.there_are.cache_clear()
    yield
    guides.there_are.cache_clear()


def test_ada_reads_how_to_connect_with_the_houses_own_address(pages, ada, client_of):
    shown = client_of(ada).get("/channels/guide/").content.decode()
    assert "http://testserver/channels/signed-in/" in shown and "hub.example.com" not in shown
    assert '<a href="/channels/guide/demo/"' in shown
    demo = client_of(ada).get("/channels/guide/demo/").content.decode()
    assert "<td>1</td>" in demo and "<script>alert" not in demo and 'href="javascript' not in demo
    assert "How to connect Demo network" in client_of(ada).get("/channels/new/?network=demo").content.decode()


def test_there_is_nothing_for_others_and_no_other_file(pages, ada, cora, client_of):
    assert client_of(cora).get("/channels/guide/").status_code == 404
    for code, status in (("README", 200), ("none", 404), ("..", 404)):
        assert client_of(ada).get(f"/channels/guide/{code}/").status_code == status


def test_the_manual_names_only_networks_that_are_there_and_reads_as_html():
    assert guides.there_are() <= set(registry.NETWORKS)
    index = (guides.FOLDER / "README.md").read_text()
    assert all(f"]({code}.md)" in index for code in guides.there_are())
    for code in (guides.INDEX, *guides.there_are()):
        html = guides.page(code, "https://hub.mirabelo.example/", "/guide/{}/")
        assert "<h1>" in html and guides.EXAMPLE not in html
