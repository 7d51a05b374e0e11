"""Payloads of both protocols as arrays, and back."""

import uuid

from ..errors import InvalidInput
from ..protocol.infer_type import InferOutput, InferRequest, InferResponse
from .numpy_codec import from_np_dtype


def generate_uuid():
    return str(uuid.uuid4())


def get_predict_input(payload, columns=None):
    """An array; a data frame for rows of objects, or where the request says `pd`; a list for texts."""
    import numpy

    if isinstance(payload, dict):
        rows = payload["inputs"] if "inputs" in payload else payload["instances"]
        first = rows[0] if len(rows) > 0 else None
        if isinstance(first, dict) or (isinstance(first, list) and first and isinstance(first[0], dict)):
            import pandas

            return pandas.concat([pandas.DataFrame(row if isinstance(row, list) else [row], columns=columns) for row in rows], axis=0)
        return rows if isinstance(first, str) else numpy.array(rows)
    if not isinstance(payload, InferRequest):
        raise InvalidInput("unsupported payload type %s" % type(payload))
    if (payload.parameters or {}).get("content_type") == "pd":
        return payload.as_dataframe()
    only = payload.inputs[0]
    if only.datatype == "BYTES" and only.data and isinstance(only.data[0], str):
        return only.data
    return only.as_numpy()


def get_predict_response(payload, result, model_name):
    """`{"predictions": …}` for a dictionary, an InferResponse for an InferRequest."""
    import numpy

    is_frame = type(result).__name__ == "DataFrame"
    if isinstance(payload, dict):
        rows = [row.to_dict() for _, row in result.iterrows()] if is_frame else result
        return {"predictions": rows.tolist() if isinstance(rows, numpy.ndarray) else rows}
    if not isinstance(payload, InferRequest):
        raise InvalidInput("unsupported payload type %s" % type(payload))
    arrays = {column: result[column].to_numpy() for column in result.columns} if is_frame else {"output-0": _array(result)}
    outputs = []
    for name, array in arrays.items():
        output = InferOutput(name=name, shape=list(array.shape), datatype=from_np_dtype(array.dtype))
        output.set_data_from_numpy(array)
        outputs.append(output)
    return InferResponse(response_id=payload.id or generate_uuid(), model_name=model_name, infer_outputs=outputs)


def _array(result):
    import numpy

    is_text = isinstance(result, list) and len(result) > 0 and isinstance(result[0], str)
    return numpy.array(result, dtype=object) if is_text else numpy.asarray(result)
