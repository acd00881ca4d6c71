from setuptools import find_packages, setup

FOLDERS = {
    "opcheck_problems": "problems",
    "opcheck_figures": "figures",
    "opcheck_paper_repro": "paper_repro",
}
PACKS = [
    p
    for name, where in FOLDERS.items()
    for p in [name, *(f"{name}.{sub}" for sub in find_packages(where))]
]
setup(packages=[*find_packages(include=["opcheck", "opcheck.*"]), *PACKS], package_dir=FOLDERS)
