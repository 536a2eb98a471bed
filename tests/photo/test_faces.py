"""Where the faces of people are."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from clipasso.photo.canvas import closer, load_photo
from clipasso.photo.faces import find_faces
from clipasso.photo.faces.mtcnn import detect

EYES = [(204, 102), (246, 104)]  # of the astronaut, by eye, px of 512
MOUTH = [(203, 140), (245, 141)]


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return data.astronaut()


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.tensor(pixels).permute(2, 0, 1) / 255


class TestDetect:
    def test_a_face_with_its_eyes_nose_and_mouth(self, astronaut):
        sure, boxes, marks = detect(tensor(astronaut))
        assert sure[0] > 0.99
        left, top, right, bottom = boxes[0].tolist()
        assert 170 < left < 190
        assert 255 < right < 275
        assert 50 < top < 80
        assert 160 < bottom < 185
        wanted = torch.tensor([*EYES, (226, 128), *MOUTH], dtype=torch.float32)
        assert (marks[0] - wanted).abs().max() < 6

    def test_a_mirror_image_has_the_mirrored_face(self, astronaut):
        width = astronaut.shape[1]
        _, boxes, marks = detect(tensor(astronaut[:, ::-1].copy()))
        _, there, at = detect(tensor(astronaut))
        mirrored = torch.stack([width - there[0, 2], there[0, 1], width - there[0, 0], there[0, 3]])
        assert (boxes[0] - mirrored).abs().max() < 8
        swapped = at[0][[1, 0, 2, 4, 3]] * torch.tensor([-1.0, 1.0]) + torch.tensor([width, 0.0])
        assert (marks[0] - swapped).abs().max() < 5

    @pytest.mark.parametrize("shape", [(3, 8, 300), (3, 20, 20), (3, 100, 60)])
    def test_nothing_in_blank_or_tiny_images(self, shape):
        sure, boxes, marks = detect(torch.ones(shape))
        assert sure.shape == (0,)
        assert boxes.shape == (0, 4)
        assert marks.shape == (0, 5, 2)

    def test_small_faces_only_where_they_are_asked_for(self, astronaut):
        small = np.asarray(Image.fromarray(astronaut).resize((128, 128)))  # a face of 22 px
        assert len(detect(tensor(small), smallest=14)[0]) == 1
        assert len(detect(tensor(small), smallest=60)[0]) == 0


class TestFindFaces:
    def test_in_px_of_the_photos_frame_whatever_the_canvas_shows(self, astronaut):
        photo = load_photo(astronaut)
        (face,) = find_faces(photo)
        assert np.abs(face.eyes - np.array(EYES) * 224 / 512).max() < 3
        assert np.abs(face.mouth - np.array(MOUTH) * 224 / 512).max() < 3
        assert face.box[0] < face.nose[0] < face.box[2]
        (same,) = find_faces(closer(photo, (40.0, 10.0, 100.0)))
        assert np.array_equal(same.eyes, face.eyes)
        assert same.box == face.box

    def test_in_a_photo_that_is_not_square(self, astronaut):
        wide = np.concatenate([np.full((512, 300, 3), 200, np.uint8), astronaut], 1)
        (face,) = find_faces(load_photo(wide))
        assert np.abs(face.eyes - (np.array(EYES) + np.array([300, 0])) * 224 / 812).max() < 3

    @pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket"])
    def test_none_where_nobody_is(self, name):
        assert find_faces(load_photo(getattr(data, name)())) == ()

    def test_none_of_a_photo_that_cannot_be_read_again(self, astronaut):
        from dataclasses import replace

        assert find_faces(replace(load_photo(astronaut), source=None)) == ()

    def test_portraits_and_animals(self, shared):
        more = shared / "images" / "more"
        for path in sorted((more / "portrait").glob("*.jpg")):
            assert len(find_faces(load_photo(path))) == 1, path
        for path in [*sorted((more / "dog").glob("*.jpg"))[:4], more / "wild" / "chimpanzee.jpg"]:
            assert find_faces(load_photo(path)) == (), path
