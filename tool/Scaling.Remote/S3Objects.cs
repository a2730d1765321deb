// The same names as objects of an S3 bucket. The one place that knows the AWS SDK, loaded where an s3:// address is given.
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Scaling.Remote;

/// <summary>Objects in a bucket. Credentials, region and endpoint are AWS's usual ones (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and so on).</summary>
internal sealed class S3Objects : IRemoteObjects
{
    private readonly AmazonS3Client _client;
    private readonly string _bucket;
    private readonly string _prefix;

    public S3Objects(RemoteSettings settings, Func<string, string?> variable)
    {
        _bucket = settings.Address.Host;
        _prefix = settings.Address.AbsolutePath.Trim('/') is { Length: > 0 } prefix ? Uri.UnescapeDataString(prefix) + "/" : "";
        var config = new AmazonS3Config
        {
            MaxErrorRetry = 0, // Tries are counted where every door's are.
            Timeout = Timeout.InfiniteTimeSpan,
            ConnectTimeout = settings.ConnectTimeout,

            // Other servers than Amazon's know no trailing checksums; digests are checked here in any case.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        string? endpoint = variable("AWS_ENDPOINT_URL_S3") is { Length: > 0 } own ? own : variable("AWS_ENDPOINT_URL");
        if (!string.IsNullOrEmpty(endpoint))
        {
            config.ServiceURL = endpoint;
            config.ForcePathStyle = true;
            config.AuthenticationRegion = variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION") ?? "us-east-1";
        }

        try
        {
            _client = new AmazonS3Client(config);
        }
        catch (AmazonClientException e)
        {
            throw new RemoteUsageException("SCAL1040", $"s3://{_bucket} cannot be used: {e.Message}", "AWS_REGION tells the region, AWS_ENDPOINT_URL another server than Amazon's.");
        }
    }

    public async Task<Stream?> Open(string name, CancellationToken stop)
    {
        var response = await Try(() => _client.GetObjectAsync(new GetObjectRequest { BucketName = _bucket, Key = _prefix + name }, stop), stop).ConfigureAwait(false);
        return response?.ResponseStream;
    }

    public async Task<long?> Size(string name, CancellationToken stop)
    {
        var response = await Try(() => _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _bucket, Key = _prefix + name }, stop), stop).ConfigureAwait(false);
        return response?.ContentLength;
    }

    public async Task Put(string name, Stream content, CancellationToken stop) =>
        _ = await Try(() => _client.PutObjectAsync(new PutObjectRequest { BucketName = _bucket, Key = _prefix + name, InputStream = content, AutoCloseStream = false, UseChunkEncoding = false }, stop), stop).ConfigureAwait(false)
            ?? throw new RemoteFailure(FailureKind.Refused, $"there is no bucket {_bucket}");

    public void Dispose() => _client.Dispose();

    private async Task<T?> Try<T>(Func<Task<T>> once, CancellationToken stop)
        where T : class
    {
        try
        {
            return await once().ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
        catch (AmazonServiceException e)
        {
            bool passes = (int)e.StatusCode is 0 or 408 or 429 or >= 500;
            string hint = e.StatusCode == HttpStatusCode.Forbidden ? "; without s3:ListBucket Amazon answers so to what is not there, too" : "";
            throw new RemoteFailure(passes ? FailureKind.Passing : FailureKind.Refused, $"the bucket {_bucket} answered {(int)e.StatusCode} {e.ErrorCode}{hint}");
        }
        catch (AmazonClientException e)
        {
            throw new RemoteFailure(e.InnerException is HttpRequestException or IOException ? FailureKind.Passing : FailureKind.Refused, $"S3 cannot be asked ({e.Message})");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw HttpObjects.Passing(e);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new RemoteFailure(FailureKind.Silent, $"the bucket {_bucket} did not take the connection in time");
        }
    }
}
