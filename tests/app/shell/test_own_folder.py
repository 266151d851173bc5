"""The person's own folder of pictures, in the gallery."""

from tests.app.visiting import chosen, jpeg, png


def test_one_bad_file_of_the_folder_is_named_and_the_others_work(visit, tmp_path, monkeypatch):
    (tmp_path / "good.jpg").write_bytes(jpeg())
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    (tmp_path / "z.jpg").symlink_to("/etc/hostname")
    person_folder = visit  # the fixture removes the variable, so it is set after it
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    person = person_folder(steps="1").look_at("Your folder")
    person.assert_whole()
    assert list(person.thumbnails) == ["folder:bad.jpg", "folder:good.jpg"]
    assert "not an image" in person.thumbnails["folder:bad.jpg"]
    assert "link that leads out of the folder" in person.text
    assert chosen(person.take("folder:good.jpg")).image == "folder:good.jpg"


def test_a_large_folder_is_shown_page_by_page(visit, tmp_path, monkeypatch):
    for number in range(30):
        (tmp_path / f"{number:02}.jpg").write_bytes(jpeg((16, 16)))
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    person = visit(steps="1").look_at("Your folder")
    assert list(person.thumbnails) == [f"folder:{number:02}.jpg" for number in range(24)]
    assert "of your" not in person.text


def test_of_more_photos_than_are_offered_the_number_is_said(visit, tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(300):
            (tmp_path / name / f"{number}.jpg").touch()
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    person = visit(steps="1").look_at("Your folder")
    assert "500 of your 600 photos, from every folder." in person.text


def test_a_photo_that_is_replaced_is_compared_anew(visit, tmp_path, monkeypatch):
    photo = tmp_path / "a.png"
    photo.write_bytes(png((64, 64)))
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    person = visit(steps="1", image="folder:a.png")
    person.assert_whole()
    before = person.at.session_state["shown.playground"].result.clean
    photo.write_bytes(jpeg((64, 64)))
    after = person.run().at.session_state["shown.playground"].result.clean
    person.assert_whole()
    assert before.std(dim=(1, 2)).max() < 0.01  # one colour
    assert after.std(dim=(1, 2)).max() > 0.1  # noise
