"""Where the job executor puts things; it passes these by flags, so scripts must accept every one."""

WORK_DIR = "/data"
DATA_DIR = "/data/data"
OUTPUT_DIR = "/data/output"
LOG_DIR = "/data/output"

# Name, default, help: in the order in which the executor passes them.
FOLDERS = (
    ("work_dir", WORK_DIR, "folder of the code"),
    ("data_dir", DATA_DIR, "folder of the input data"),
    ("output_dir", OUTPUT_DIR, "folder that is kept after the job"),
    ("log_dir", LOG_DIR, "folder of the summaries"),
)


def add_folder_arguments(parser):
    """Adds the four folders to an argparse parser or group."""
    for name, default, text in FOLDERS:
        parser.add_argument("--" + name, type=str, default=default, help=text)
