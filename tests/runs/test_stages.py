"""The stages of a run, on a server folder and a loopback site; all parts real."""

from __future__ import annotations

import dataclasses
import gzip
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from runs import lifecycle, pipeline, preparation, references
from runs.claims import Claim
from runs.models import Artifact, Run, Source, StageName, Status
from runs.stages import download
from runs.stages.order import ORDER
from runs.transfers.base import TransferError
from tests.builders import claim_of, make_run
from tests.runs.conftest import SAMPLE, Go, Site
from vcbench_site.embedded.ports import free_port

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("stages"),
]
CALLS = f"{SAMPLE}.dragen.hard-filtered.vcf.gz"


def remove(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink()


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Change the text of a gzipped file; its checksum file goes."""
    text = change(gzip.decompress(path.read_bytes()).decode())
    path.write_bytes(gzip.compress(text.encode()))
    remove(path.parent, f"{path.name}.*")


def states(run: Run) -> dict[str, str]:
    return dict(run.stages.values_list("name", "status"))


class TestDownload:
    def test_keeps_size_checksum_and_what_vouches_for_it(self, go: Go) -> None:
        run = go(StageName.CSV)
        file = run.artifacts.get(name=f"download/{CALLS}")
        assert file.verified_by == "md5"
        assert file.file.stat().st_size == file.size
        assert file.kind == "smvar_vcf"

    def test_takes_one_file_of_small_variants(self, go: Go) -> None:
        run = go(StageName.CSV)
        kinds = run.artifacts.filter(role="input").values_list("kind", flat=True)
        assert "smvar_vcf" in kinds
        assert "smvar_gvcf" not in kinds

    def test_tells_all_that_is_missing_and_what_is_there(
        self, go: Go, inputs: Path
    ) -> None:
        remove(inputs, "*vcf.gz*")
        run = go(StageName.REFERENCE, StageName.HAPPY, StageName.TRUVARI)
        assert run.status == Status.ERROR
        assert "*.hard-filtered.vcf.gz" in run.reason
        assert "*.sv.vcf.gz" in run.reason
        assert "mapping_metrics.csv" in run.reason

    def test_refuses_a_file_that_its_checksum_denies(
        self, go: Go, inputs: Path
    ) -> None:
        (inputs / f"{CALLS}.md5sum").write_text("0" * 32)
        run = go(StageName.CSV)
        assert run.status == Status.ERROR
        assert CALLS in run.reason
        assert not run.artifacts.exists()

    def test_refuses_a_truncated_file(self, go: Go, inputs: Path) -> None:
        calls = inputs / CALLS
        remove(inputs, f"{CALLS}.*")
        calls.write_bytes(calls.read_bytes()[:-200])
        run = go(StageName.CSV)
        assert run.status == Status.ERROR
        assert CALLS in run.reason

    def test_refuses_a_path_outside_the_roots(self, go: Go, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        run = make_run(
            StageName.DOWNLOAD,
            source=Source.PATH,
            location={"path": str(other)},
            status=Status.RUNNING,
        )
        pipeline.carry_out(claim_of(run), ORDER)
        run.refresh_from_db()
        assert "does not exist below an allowed folder" in run.reason

    def test_takes_an_archive_with_its_checksums_in_another_folder(
        self, data_dir: Path, inputs: Path
    ) -> None:
        archive = data_dir / "uploads" / "lab.zip"
        archive.parent.mkdir()
        with zipfile.ZipFile(archive, "w") as packed:
            for path in sorted(inputs.glob(f"{CALLS}*")):
                folder = "sums" if path.suffix == ".md5sum" else "calls"
                packed.write(path, f"{folder}/{path.name}")
        run = make_run(
            StageName.DOWNLOAD,
            source=Source.ZIP,
            location={"archive": "uploads/lab.zip"},
            status=Status.RUNNING,
        )
        pipeline.carry_out(claim_of(run), ORDER)
        run.refresh_from_db()
        assert run.status == Status.COMPLETED, run.reason
        assert run.artifacts.get(name=f"download/{CALLS}").verified_by == "md5"
        assert not (run.folder / ".unpacked").exists()

    def test_marks_what_only_its_size_vouches_for(self, go: Go) -> None:
        run = go(StageName.CSV)
        weak = run.artifacts.filter(verified_by="size").count()
        assert weak > 0
        warning = run.log_entries.get(level="warning").message
        assert warning.startswith(f"{weak} of ")

    def test_a_fault_of_the_source_that_may_pass_is_passed_on(
        self, go: Go, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(run: Run) -> None:
            raise TransferError("Busy.", transient=True, retry_after=90)

        monkeypatch.setattr(download, "source_of", busy)
        run = go(StageName.CSV)
        assert (run.status, run.reason) == (Status.PENDING, "Busy.")
        assert run.next_attempt_at is not None
        assert run.next_attempt_at > timezone.now() + timedelta(seconds=80)


class TestReference:
    def test_goes_on_by_itself_once_the_site_answers(
        self, go: Go, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        once = dataclasses.replace(references.ETIQUETTE, attempts=1)
        monkeypatch.setattr(references, "ETIQUETTE", once)
        working = settings.VCBENCH
        nobody = f"http://127.0.0.1:{free_port()}"
        settings.VCBENCH = dataclasses.replace(working, giab_urls=[nobody])
        run = go(StageName.REFERENCE, StageName.HAPPY)
        assert (run.status, run.retries) == (Status.PENDING, 1)
        assert nobody.removeprefix("http://") in run.reason
        assert states(run)["download"] == "completed"
        settings.VCBENCH = working
        again = lifecycle.claim(run.pk, 2, "another")
        assert again is not None
        pipeline.carry_out(again, ORDER)
        run.refresh_from_db()
        assert (run.status, run.reason) == (Status.COMPLETED, "")

    def test_is_cancelled_while_a_genome_is_prepared(
        self, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The child says how far it is, and then nothing more, for ever."""
        script = tmp_path / "hangs.py"
        script.write_text(
            "import signal\nprint('{\"progress\": [7, 7]}', flush=True)\nsignal.pause()"
        )

        def cancel(claim: Claim, done: int, *_others: object) -> None:
            if done == 7:
                lifecycle.cancel(Run.objects.get(pk=claim.run_id), by="ana")

        monkeypatch.setattr(preparation, "SCRIPT", script)
        monkeypatch.setattr(preparation, "_is_bgzip", lambda path: False)
        monkeypatch.setattr(lifecycle, "progress", cancel)
        run = go(StageName.REFERENCE, StageName.HAPPY)
        assert (run.status, run.reason) == (Status.CANCELLED, "Cancelled by ana.")

    def test_fetches_once_for_all_runs(self, go: Go) -> None:
        go(StageName.REFERENCE)
        again = go(StageName.REFERENCE)
        said = again.log_entries.filter(stage="reference")
        assert again.status == Status.COMPLETED
        assert not said.filter(message__startswith="Fetching").exists()

    def test_keeps_the_checksums_of_what_it_used(self, go: Go) -> None:
        run = go(StageName.REFERENCE)
        used = run.artifacts.filter(role=Artifact.Role.REFERENCE)
        assert {"vcf", "bed", "fasta"} <= set(used.values_list("kind", flat=True))
        assert all(file.sha256 for file in used.filter(kind__in=["vcf", "bed"]))

    def test_says_what_to_provide_for_an_unknown_individual(self, go: Go) -> None:
        run = go(StageName.REFERENCE, name="HG00100_Lib1", individual="")
        assert run.status == Status.ERROR
        assert "give it a truth set of its own" in run.reason

    def test_says_which_build_it_cannot_tell(self, go: Go, inputs: Path) -> None:
        rewrite(inputs / CALLS, lambda text: text.replace(",length=", ",size="))
        run = go(StageName.REFERENCE)
        assert run.status == Status.ERROR
        assert "build" in run.reason

    def test_finds_no_truth_set_of_another_build(self, go: Go) -> None:
        run = go(StageName.REFERENCE, StageName.HAPPY, build="GRCh37")
        assert run.status == Status.ERROR
        assert "GRCh37" in run.reason
        assert states(run)["happy"] == "cancelled"


class TestHappy:
    def test_keeps_every_row_and_every_file(self, go: Go, site: Site) -> None:
        run = go(StageName.REFERENCE, StageName.HAPPY)
        assert run.status == Status.COMPLETED, run.reason
        rows = run.small_variant_metrics.filter(subtype="*", subset="*")
        assert {(row.type, row.filter) for row in rows} == {
            (kind, passed) for kind in ("SNP", "INDEL") for passed in ("ALL", "PASS")
        }
        names = set(run.artifacts.filter(stage="happy").values_list("name", flat=True))
        assert {"happy/happy.summary.csv", "happy/variants.parquet"} <= names
        assert run.provenance["happy"]["engine"] == "builtin"

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda text: text.replace("\tGT:", "\tXX:"), "GT"),
            (lambda text: text[: text.index("#CHROM")], "CHROM"),
        ],
    )
    def test_tells_why_calls_cannot_be_used(
        self, go: Go, inputs: Path, change: Callable[[str], str], said: str
    ) -> None:
        rewrite(inputs / CALLS, change)
        run = go(StageName.REFERENCE, StageName.HAPPY, build="GRCh38")
        assert run.status == Status.ERROR
        assert said in run.reason
        assert "Traceback" not in run.reason

    def test_an_engine_that_is_not_here_says_what_to_do(self, go: Go) -> None:
        run = go(StageName.REFERENCE, StageName.HAPPY, engine="vcfeval")
        assert run.status == Status.ERROR
        assert run.reason.startswith("The engine vcfeval cannot run here:")


class TestTruvari:
    def test_is_skipped_where_the_individual_has_no_truth(self, go: Go) -> None:
        run = go(StageName.REFERENCE, StageName.TRUVARI)
        assert run.status == Status.COMPLETED
        assert states(run)["truvari"] == "skipped"
        assert run.log_entries.filter(level="warning", stage="truvari").exists()
        assert not run.structural_variant_metrics.exists()


class TestCsv:
    def test_keeps_values_of_every_file(self, go: Go, inputs: Path) -> None:
        run = go(StageName.CSV)
        files = set(run.qc_metrics.values_list("file", flat=True))
        assert files == {path.name for path in inputs.glob("*.csv")}

    def test_keeps_rows_that_it_does_not_know(self, go: Go, inputs: Path) -> None:
        with (inputs / f"{SAMPLE}.dragen.vc_metrics.csv").open("a") as file:
            file.write("NEW SECTION,,A new metric,7.5,1.25\n")
        run = go(StageName.CSV)
        row = run.qc_metrics.get(metric="A new metric")
        assert (row.section, row.value, row.percent) == ("NEW SECTION", 7.5, 1.25)

    def test_does_not_need_the_other_stages(self, go: Go, inputs: Path) -> None:
        remove(inputs, "*.vcf.gz*")
        assert go(StageName.CSV).status == Status.COMPLETED
