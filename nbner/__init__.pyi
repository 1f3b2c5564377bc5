from nbner import registry as registry
from nbner import results as results
from nbner._version import __version__ as __version__
from nbner.corpus.batch import predict_batch as predict_batch
from nbner.corpus.batch import read_model as read_model
from nbner.decoding.probabilities import TextProbabilities as TextProbabilities
from nbner.errors import (
    DataError as DataError,
)
from nbner.errors import (
    ModelError as ModelError,
)
from nbner.errors import (
    NbnerError as NbnerError,
)
from nbner.errors import (
    StoreError as StoreError,
)
from nbner.errors import (
    TrainingError as TrainingError,
)
from nbner.evaluation.evaluate import evaluate as evaluate
from nbner.evaluation.report import Evaluation as Evaluation
from nbner.io.import_report import ImportReport as ImportReport
from nbner.io.sample_corpus import SampleCorpus as SampleCorpus
from nbner.io.sample_corpus import sample as sample
from nbner.session.differences import differences as differences
from nbner.session.files import read as read
from nbner.session.files import token_rows as token_rows
from nbner.session.files import write as write
from nbner.session.quiz import quiz as quiz
from nbner.session.session import Session as Session
from nbner.session.simulation import simulate as simulate
from nbner.simulation.annotator import SimulatedAnnotator as SimulatedAnnotator
from nbner.simulation.headless_client import annotate_with as annotate_with
from nbner.training.report import TrainingReport as TrainingReport
from nbner.types import (
    Answer as Answer,
)
from nbner.types import (
    Counts as Counts,
)
from nbner.types import (
    Example as Example,
)
from nbner.types import (
    Parse as Parse,
)
from nbner.types import (
    Span as Span,
)
from nbner.types import (
    Token as Token,
)
from nbner.widgets.annotator import Annotator as Annotator
