"""Every fault of an S3 store as a sentence that says what to do."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore import exceptions as faults
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from runs.transfers.base import TransferError
from runs.transfers.http import THROTTLED, retry_after

MOST_ERROR_BYTES = 64 * 1024

ACCESS = (
    "Access to {place} is denied. Check that the credentials may list the bucket and "
    "read its objects (s3:ListBucket, s3:GetObject), and the key where the objects "
    "are encrypted (kms:Decrypt)."
)
KEYS = (
    "The store refuses the credentials for {place} ({code}). Check the access key and "
    "its secret, or the profile, in the S3 settings."
)
EXPIRED = (
    "The credentials for {place} have expired ({code}). Sign in again, or refresh the "
    "session token in the S3 settings."
)
CLOCK = (
    "The clock of this machine differs too much from that of {place}. Set the clock "
    "(for example with NTP) and retry."
)
REGION = (
    "{place} lies in another region than the settings say{region}. Correct the region "
    "in the S3 settings."
)
BUSY = "{place} is busy ({code}) and asks to come back later."
ARCHIVED = (
    "{place} lies in an archive class (Glacier) and cannot be read at once. Restore "
    "it in the store first, then retry."
)
UNKNOWN = (
    "The store of {place} does not know what it was asked for ({code}). It may not "
    "keep checksums as S3 does: set them to when_required in the S3 settings."
)
SENTENCES = {
    "AccessDenied": ACCESS,
    "AllAccessDisabled": ACCESS,
    "403": ACCESS,
    "InvalidAccessKeyId": KEYS,
    "SignatureDoesNotMatch": KEYS,
    "InvalidToken": KEYS,
    "ExpiredToken": EXPIRED,
    "TokenRefreshRequired": EXPIRED,
    "RequestTimeTooSkewed": CLOCK,
    "RequestExpired": CLOCK,
    "NoSuchBucket": "The bucket of {place} does not exist. Check the bucket's name and "
    "the endpoint in the S3 settings.",
    "NoSuchKey": "{place} does not exist. Check the sample id, the prefix and the "
    "bucket in the S3 settings.",
    "NoSuchVersion": "The version asked for of {place} does not exist any more.",
    "404": "{place} does not exist. Check the sample id, the prefix and the bucket in "
    "the S3 settings.",
    "PermanentRedirect": REGION,
    "AuthorizationHeaderMalformed": REGION,
    "IllegalLocationConstraintException": REGION,
    "301": REGION,
    "400": "{place} refuses the request. Check the region, the credentials and the "
    "session token in the S3 settings; a store that does not keep checksums as S3 does "
    "needs them set to when_required.",
    "NotImplemented": UNKNOWN,
    "501": UNKNOWN,
    "InvalidBucketName": "The bucket name in {place} is not valid.",
    "InvalidObjectState": ARCHIVED,
    "SlowDown": BUSY,
    "Throttling": BUSY,
    "ThrottlingException": BUSY,
    "RequestLimitExceeded": BUSY,
    "TooManyRequests": BUSY,
    "ServiceUnavailable": BUSY,
    "503": BUSY,
    "429": BUSY,
    "InternalError": "{place} failed with a fault of the store ({code}).",
    "RequestTimeout": "The connection to {place} was too slow for the store ({code}).",
}
PASSING = {
    *(code for code, words in SENTENCES.items() if words is BUSY),
    "InternalError",
    "RequestTimeout",
}


def explain_code(
    code: str, status: int, place: str, *, region: str = ""
) -> TransferError:
    """An error code of the S3 API in words."""
    words = SENTENCES.get(code)
    transient = code in PASSING or (words is None and status >= 500)
    if words is None:
        words = "{place} refused the request ({code}, status {status})."
    there = f" ({region})" if region else ""
    sentence = words.format(place=place, code=code, status=status, region=there)
    return TransferError(sentence, transient=transient)


def _client_error(fault: faults.ClientError, place: str) -> TransferError:
    error = fault.response.get("Error", {})
    meta = fault.response.get("ResponseMetadata", {})
    headers = meta.get("HTTPHeaders", {})
    region = error.get("Region") or headers.get("x-amz-bucket-region", "")
    result = explain_code(
        str(error.get("Code", "unknown")),
        int(meta.get("HTTPStatusCode", 0)),
        place,
        region=region,
    )
    result.retry_after = retry_after(headers)
    return result


def _endpoint(_fault: Exception, place: str) -> TransferError:
    return TransferError(
        f"The S3 endpoint of {place} cannot be reached. Check the endpoint URL and the "
        "region in the S3 settings, the network and the firewall.",
        transient=True,
    )


def _no_credentials(_fault: Exception, place: str) -> TransferError:
    return TransferError(
        f"There are no credentials for {place}. Give a profile or an access key in the "
        "S3 settings, a role to this machine, or set the store to anonymous if the "
        "bucket is public."
    )


def _profile(fault: Exception, _place: str) -> TransferError:
    return TransferError(
        f"{str(fault).rstrip('.')}. Correct the profile in the S3 settings, or add it "
        "to ~/.aws/config of the account that runs the worker."
    )


def _tls(_fault: Exception, place: str) -> TransferError:
    return TransferError(
        f"The certificate of the S3 endpoint of {place} is not trusted, or it does not "
        "speak TLS. Check the endpoint URL; for a store with a certificate of your "
        "own, give its CA file in the S3 settings."
    )


def _parameters(fault: Exception, place: str) -> TransferError:
    text = " ".join(str(fault).split())
    return TransferError(f"The S3 settings for {place} are not valid: {text}")


Reader = Callable[[Exception, str], TransferError]
# in this order: ProxyConnectionError and SSLError are ConnectionErrors too
READERS: list[tuple[tuple[type[Exception], ...], Reader]] = [
    ((faults.SSLError,), _tls),
    (
        (
            faults.NoCredentialsError,
            faults.PartialCredentialsError,
            faults.CredentialRetrievalError,
            faults.TokenRetrievalError,
            faults.SSOError,
            faults.UnauthorizedSSOTokenError,
        ),
        _no_credentials,
    ),
    (
        (faults.ProfileNotFound, faults.ConfigParseError, faults.ConfigNotFound),
        _profile,
    ),
    (
        (
            faults.EndpointConnectionError,
            faults.ConnectTimeoutError,
            faults.ReadTimeoutError,
            faults.ConnectionClosedError,
            faults.ProxyConnectionError,
            faults.HTTPClientError,
        ),
        _endpoint,
    ),
]


def explain_boto(fault: Exception, place: str) -> TransferError:
    if isinstance(fault, faults.ClientError):
        return _client_error(fault, place)
    for kinds, reader in READERS:
        if isinstance(fault, kinds):
            return reader(fault, place)
    return _parameters(fault, place)


@contextmanager
def in_words(place: str) -> Iterator[None]:
    """Turns boto's faults, and its complaints about settings, into TransferError."""
    try:
        yield
    except (faults.BotoCoreError, faults.ClientError, ValueError) as fault:
        raise explain_boto(fault, place) from fault


def explain_response(response: BaseHTTPResponse, place: str) -> TransferError:
    """The error document of a plain GET."""
    code, region = str(response.status), response.headers.get("x-amz-bucket-region", "")
    body = _document(response)
    try:
        tree = ElementTree.fromstring(body)  # noqa: S314 - bounded, own store
        code = tree.findtext("{*}Code") or code
        region = tree.findtext("{*}Region") or region
    except ElementTree.ParseError:
        pass
    fault = explain_code(code, response.status, place, region=region)
    fault.transient |= response.status in THROTTLED
    fault.retry_after = retry_after(response.headers)
    return fault


def _document(response: BaseHTTPResponse) -> bytes:
    """Empty where it is cut off or does not come: then the status says enough."""
    try:
        return response.read(MOST_ERROR_BYTES, decode_content=True)
    except (HTTPError, OSError):
        return b""
