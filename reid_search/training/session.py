"""A trial from its first epoch to its record; if killed, it resumes from its last epoch."""

import platform
import socket
import time
import traceback
from datetime import UTC, datetime
from typing import Any

import torch
from safetensors.torch import load_file

from reid_search.data import TrialData, open_trial_data
from reid_search.errors import EnvironmentFailure, InputChanged, ReidSearchError
from reid_search.models import count_macs, count_parameters
from reid_search.records import CodeVersion, DataUse, Record, RunContext, Status, TrialFolder, code_of
from reid_search.records.provenance import git_commit, versions
from reid_search.study import TrialConfig, trial_key
from reid_search.study.trial.config import DataFacts
from reid_search.training import checkpoint
from reid_search.training.determinism import deterministic
from reid_search.training.measuring import epoch_metrics, per_query_table, rank_each, readout_plans, readout_result
from reid_search.training.request import TrialRequest
from reid_search.training.surroundings import in_one_line, is_around_trial
from reid_search.training.trainer import Trainer
from reid_search.training.untrained import rank_untrained

Row = dict[str, Any]

_PATIENCE_SECONDS = 300.0


class TrialSession:
    """Trains a trial epoch by epoch and writes its measurements to its folder.

    An epoch's row is written to its checkpoint first and to `epochs.jsonl` second, so every line has the weights to
    resume from. A scheduler that loses contact with a process may start a second one for the same trial: only one works
    at a time, each continues from the latest checkpoint, and a trial with a record is over.
    """

    def __init__(self, request: TrialRequest, folder: TrialFolder) -> None:
        self._request = request
        self._folder = folder
        self._device = torch.device(request.device)
        self._trainer: Trainer | None = None
        self._row: Row = {}
        self._code: CodeVersion | None = None
        self.done = False

    def advance(self) -> Row:
        """Train one epoch; after the last, test the trial and write its record.

        Returns:
            The row of the last epoch; empty if the trial failed before its first epoch or was already over.

        Raises:
            EnvironmentFailure: The trial cannot go on for a reason outside it; its checkpoint stays, and the next call
                resumes from there.
            InputChanged: No call can resume, since a file of data or weights is another one by now.
        """
        try:
            with self._folder.at_work(_PATIENCE_SECONDS):
                if self._folder.has_record():
                    self.done = True
                else:
                    self._advance_or_fail()
        except InputChanged:
            self.close()
            raise
        except Exception as error:  # a trial's own failure is already in its record
            self.close()
            reason = str(error) if isinstance(error, ReidSearchError) else in_one_line(error)
            raise EnvironmentFailure(f"{reason} (on {socket.gethostname()})") from error
        return self._row

    def close(self) -> None:
        """Free the network, and the GPU memory it used."""
        self._trainer = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _advance_or_fail(self) -> None:
        begun = time.monotonic()
        try:
            with deterministic(self._request.config.training.threads):
                self._advance(begun)
        except Exception as error:  # a trial's bug must not end the study
            if is_around_trial(error):
                raise
            reason = str(error)
            if not isinstance(error, ReidSearchError):
                self._folder.write_traceback(traceback.format_exc())
                reason = f"{type(error).__name__}: {error} (traceback in error.txt)"
            self._fail(reason, begun)

    def _advance(self, begun: float) -> None:
        trainer = self._trainer
        if trainer is None or not self._stands_where_left():
            trainer = self._open()
        epochs, done = self._request.config.training.epochs, int(self._row.get("epoch", 0))
        if done < epochs:
            done += 1
            self._train_epoch(trainer, done)
            self._folder.add_seconds(time.monotonic() - begun)
            begun = time.monotonic()
        if done >= epochs:
            self._finish(trainer, begun)

    def _stands_where_left(self) -> bool:
        last = checkpoint.latest(self._folder.checkpoints)
        return last is not None and last.epoch == self._row.get("epoch")

    def _open(self) -> Trainer:
        """Load the data, build the networks, and resume from the last checkpoint if there is one.

        A checkpoint of other code is not resumed, so that a number is never of half this code and half that.
        """
        request = self._request
        last, final = checkpoint.latest(self._folder.checkpoints), checkpoint.final(self._folder.checkpoints)
        begun, self._code = self._folder.code(), code_of(request.config)
        if last is not None and begun != self._code:
            checkpoint.close(self._folder.checkpoints, keep=False)
            last = final = None
        if last is None and final is not None:
            self._code = begun
        self._data: TrialData = open_trial_data(request.config, request.seed, request.cache)
        self._check_inputs()
        self._folder.write_config(
            {
                "key": request.key,
                "seed": request.seed,
                "data_fingerprint": self._data.fingerprint,
                "config": request.config.model_dump(mode="json"),
                "code": self._code.model_dump() if self._code else None,
            }
        )
        trainer = self._trainer = Trainer(request.config, self._data, request.seed, self._device)
        if last is not None:
            with checkpoint.or_set_aside(last.path):
                weights, progress, row = last.load(self._device)
                trainer.load_weights(weights)
                trainer.load_progress(progress)
                self._row = row
            self._folder.keep_epochs(last.epoch)
            if len(self._folder.epochs()) < last.epoch:
                self._folder.append_epoch(self._row)
        elif final is not None:
            with checkpoint.or_set_aside(final):
                trainer.load_weights(load_file(final, str(self._device)))
                self._row = self._folder.epochs()[-1]
            trainer.model.use_mode(request.config.training.resolved_stages[-1].mode)
        else:
            self._folder.keep_epochs(0)
            self._row = {}
        return trainer

    def _check_inputs(self) -> None:
        """Refuse data and weights that are no longer those that the trial's key was made from.

        Raises:
            InputChanged: A file of the data or of weights was changed since the study began.
        """
        request = self._request
        if request.data_fingerprint not in (None, self._data.fingerprint):
            raise InputChanged(f"{_places(request.config)}: the data changed since the study began")
        if request.config.model.pretrained and trial_key(request.config, self._data.fingerprint) != request.key:
            files = ", ".join(str(item.file) for _, item in request.config.model.pretrained.values())
            raise InputChanged(f"{files}: the weights changed since the study began")

    def _train_epoch(self, trainer: Trainer, epoch: int) -> None:
        losses = trainer.train_epoch(epoch)
        row: Row = {"epoch": epoch, "images_seen": trainer.images_seen, **losses}
        if "val" in self._data.sets:
            config = self._request.config
            held_out = self._data.sets["val"]
            row |= epoch_metrics(config, trainer.rank(readout_plans(config), held_out), held_out.rule)
        checkpoint.save(
            self._folder.checkpoints, epoch, *trainer.state(), row, metadata=trainer.normalization.as_metadata()
        )
        self._folder.append_epoch(row)
        self._row = row

    def _finish(self, trainer: Trainer, begun: float) -> None:
        wanted = {*self._request.evaluate, *(["val"] if "val" in self._data.sets else [])}
        missing = sorted(wanted - {*self._data.sets})
        if missing:
            raise ReidSearchError(f"no split '{missing[0]}' to test on: data.holdout is 0")
        plans = readout_plans(self._request.config)
        splits = sorted(split for split in self._data.sets if split.partition("/")[0] in wanted)
        sets = {split: self._data.sets[split] for split in splits}
        rankings = rank_each(sets, lambda images: trainer.rank(plans, images))
        before = rank_untrained(self._request.config, self._data, self._request.seed, self._device, sets)
        results = {}
        for name, plan in plans.items():
            own = {split: rankings[split][name] for split in splits}
            untrained = {split: ranked[name] for split, ranked in before.items()}
            results[name] = readout_result(self._request.config, plan, sets, own, untrained)
            self._folder.write_per_query(name, per_query_table(sets, own))
        size = {"model": count_parameters(trainer.model), "losses": count_parameters(trainer.criterion)}
        macs = count_macs(trainer.model, self._request.config.data.image_size)
        self._folder.add_seconds(time.monotonic() - begun)
        self._folder.write_record(self._record(status=Status.FINISHED, parameters=size, macs=macs, readouts=results))
        checkpoint.close(self._folder.checkpoints, self._request.keep_checkpoint)
        self.done = True

    def _fail(self, reason: str, begun: float) -> None:
        self._folder.add_seconds(time.monotonic() - begun)
        self._folder.write_record(self._record(status=Status.FAILED, reason=reason))
        checkpoint.close(self._folder.checkpoints, keep=False)
        self.done = True

    def _record(self, **result: Any) -> Record:
        request = self._request
        data, trainer = getattr(self, "_data", None), self._trainer
        tested_by = code_of(request.config) if "readouts" in result else None
        return Record(
            key=request.key,
            seed=request.seed,
            config=request.config.model_dump(mode="json"),
            data_fingerprint=data.fingerprint if data else "",
            split_fingerprints=dict(data.fingerprints) if data else {},
            data=_data_use(data.facts) if data else None,
            device_type=request.device,
            weights=trainer.model.loaded_weights() if trainer else (),
            normalization=trainer.normalization if trainer else None,
            images_seen=int(self._row.get("images_seen", 0)),
            code=self._code,
            tested_by=tested_by if tested_by != self._code else None,
            context=RunContext(
                seconds=self._folder.seconds(),
                host=socket.gethostname(),
                device=torch.cuda.get_device_name() if request.device == "cuda" else f"cpu ({platform.machine()})",
                versions=versions(),
                git_commit=git_commit(),
                ended=datetime.now(UTC).isoformat(timespec="seconds"),
            ),
            **result,
        )


def run_trial(request: TrialRequest, folder: TrialFolder) -> Record:
    """Run a trial to its end in this process, unless it was already measured.

    Raises:
        EnvironmentFailure: The trial cannot go on for a reason outside it; its checkpoint stays.
    """
    known = folder.record()
    if known is not None and known.status == Status.FINISHED:
        return known
    folder.remove_record()
    session = TrialSession(request, folder)
    while not session.done:
        session.advance()
    session.close()
    record = folder.record()
    if record is None:
        raise ReidSearchError(f"{folder.path}: the trial ended without a record")
    return record


def _places(config: TrialConfig) -> str:
    """Say which data sets a trial reads, by folder where they have one."""
    read = [config.data, *(config.stage_data(stage) for stage in config.training.stages)]
    sets = [use.data for data in read for use in data.sets]
    return ", ".join(dict.fromkeys(str(getattr(item, "root", None) or item.name) for item in sets))


def _data_use(facts: DataFacts) -> DataUse | None:
    return DataUse(unused=dict(facts.unused), notes=facts.notes) if str(facts) else None
