"""What TensorBoard itself makes of a folder of event files, as JSON. Usage: read_board.py FOLDER"""

import json
import sys

from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

folder = sys.argv[1]
ctx = context.RequestContext()
many = 10**9
multiplexer = plugin_event_multiplexer.EventMultiplexer(
    size_guidance={}, tensor_size_guidance={"scalars": 0, "images": 0, "histograms": 0}
)
multiplexer.AddRunsFromDirectory(folder)
multiplexer.Reload()
provider = data_provider.MultiplexerDataProvider(multiplexer, folder)


def tensors(plugin):
    found = provider.read_tensors(ctx, experiment_id="", plugin_name=plugin, downsample=many)
    return {f"{run}:{tag}": [[one.step, one.numpy.tolist()] for one in data] for run, tags in found.items() for tag, data in tags.items()}


scalars = provider.read_scalars(ctx, experiment_id="", plugin_name="scalars", downsample=many)
blobs = provider.read_blob_sequences(ctx, experiment_id="", plugin_name="images", downsample=many)
images = {}
for run, tags in blobs.items():
    for tag, data in tags.items():
        width, height, *pictures = data[0].values
        read = lambda one: provider.read_blob(ctx, blob_key=one.blob_key)
        images[f"{run}:{tag}"] = [int(read(width)), int(read(height)), [read(one)[:8].hex() for one in pictures]]
hparams = backend_context.Context(base_plugin.TBContext(logdir=folder, data_provider=provider, multiplexer=multiplexer))
metadata = hparams.experiment_from_metadata(
    ctx, "", True, hparams.hparams_metadata(ctx, ""), hparams.hparams_from_data_provider(ctx, "", None)
)
columns = [api_pb2.ColParams(metric=info.name) for info in metadata.metric_infos]
statuses = [api_pb2.STATUS_UNKNOWN, api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_RUNNING]
request = api_pb2.ListSessionGroupsRequest(
    col_params=columns, allowed_statuses=statuses, slice_size=1000, include_metrics=True
)
groups = list_session_groups.Handler(ctx, hparams, "", request).run().session_groups
value = lambda one: getattr(one, one.WhichOneof("kind"))
print(
    json.dumps(
        {
            "scalars": {
                f"{run}:{tag}": [[one.step, one.wall_time, one.value] for one in data]
                for run, tags in scalars.items()
                for tag, data in tags.items()
            },
            "histograms": tensors("histograms"),
            "images": images,
            "hparams": {info.name: info.type for info in metadata.hparam_infos},
            "sessions": [
                {
                    "name": group.sessions[0].name,
                    "status": group.sessions[0].status,
                    "hparams": {key: value(one) for key, one in group.hparams.items()},
                    "metrics": {one.name.tag: one.value for one in group.sessions[0].metric_values},
                }
                for group in groups
            ],
        }
    )
)
