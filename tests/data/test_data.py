import subprocess
import sys

from recsys.data.releases import RELEASES


def test_importing_ratings_loads_no_table_library():
    # A serving process imports the id map from here.
    program = "import sys, recsys.data; print({'pandas', 'pyarrow', 'pooch'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_every_set_to_download_has_a_checksum_beside_it():
    embedded, *others = RELEASES
    assert embedded.is_embedded
    assert embedded.url is None
    for known in others:
        assert known.url.startswith("https://files.grouplens.org/datasets/movielens/ml-")
        assert known.checksum == f"{known.url}.md5"
