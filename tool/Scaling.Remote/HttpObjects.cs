// Bazel's HTTP cache: GET, HEAD and PUT of /ac/KEY and /cas/SHA256 on any server that keeps files.
using System.Net;
using System.Net.Http.Headers;

namespace Scaling.Remote;

/// <summary>Objects over HTTP. Proxies are those of the environment (HTTPS_PROXY, NO_PROXY).</summary>
internal sealed class HttpObjects : IRemoteObjects
{
    private const int MostRedirects = 5;
    private readonly HttpClient _client;
    private readonly Uri _root;
    private readonly (string Name, string Value)? _header;

    public HttpObjects(RemoteSettings settings)
    {
        _root = new Uri(settings.Address.AbsoluteUri.TrimEnd('/') + "/");
        _header = settings.Header;
        // Redirects are followed here: .NET would send a secret header of another name than Authorization to wherever it is told to go.
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, ConnectTimeout = settings.ConnectTimeout, MaxConnectionsPerServer = settings.Parallel, PooledConnectionLifetime = TimeSpan.FromMinutes(5), AutomaticDecompression = DecompressionMethods.None,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("dotnet-scaling", "1"));
    }

    public async Task<Stream?> Open(string name, CancellationToken stop)
    {
        var response = await Send(HttpMethod.Get, name, null, stop).ConfigureAwait(false);
        if (response is null)
        {
            return null;
        }

        try
        {
            return await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Passing(e);
        }
    }

    public async Task<long?> Size(string name, CancellationToken stop)
    {
        using var response = await Send(HttpMethod.Head, name, null, stop).ConfigureAwait(false);
        return response is null ? null : response.Content.Headers.ContentLength ?? -1;
    }

    public async Task Put(string name, Stream content, CancellationToken stop)
    {
        using var response = await Send(HttpMethod.Put, name, content, stop).ConfigureAwait(false);
        if (response is null)
        {
            throw new RemoteFailure(FailureKind.Refused, $"{Host(_root)} answered that there is no such place (404) when it was given {name[..Math.Min(12, name.Length)]}…");
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>The answer; null for none there.</summary>
    private async Task<HttpResponseMessage?> Send(HttpMethod method, string name, Stream? content, CancellationToken stop)
    {
        var address = new Uri(_root, name);
        for (int redirects = 0; ; redirects++)
        {
            var response = await SendOnce(method, address, content, stop).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                return response;
            }

            using (response)
            {
                var status = response.StatusCode;
                bool knowsNoHead = method == HttpMethod.Head && status is (HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented);
                if (knowsNoHead || status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
                {
                    return null;
                }

                if (content is null && redirects < MostRedirects && (int)status is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is { } location)
                {
                    var next = new Uri(address, location);
                    address = next.Scheme == Uri.UriSchemeHttps || (next.Scheme == Uri.UriSchemeHttp && address.Scheme == Uri.UriSchemeHttp)
                        ? next
                        : throw new RemoteFailure(FailureKind.Refused, $"{Host(address)} sends to another place by other means, which is not followed");
                    continue;
                }

                bool passes = status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || ((int)status >= 500 && status is not (HttpStatusCode.NotImplemented or HttpStatusCode.InsufficientStorage));
                throw new RemoteFailure(passes ? FailureKind.Passing : FailureKind.Refused, $"{Host(address)} answered {(int)status} {status}") { RetryAfter = response.Headers.RetryAfter?.Delta };
            }
        }
    }

    private async Task<HttpResponseMessage> SendOnce(HttpMethod method, Uri address, Stream? content, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, address);
        if (_header is { } header && Host(address) == Host(_root) && address.Scheme == _root.Scheme)
        {
            request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        }

        if (content is not null)
        {
            request.Content = new StreamContent(content);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            request.Content.Headers.ContentLength = content.Length;
        }

        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new RemoteFailure(FailureKind.Silent, $"{Host(address)} did not take the connection in time ({e.InnerException?.Message ?? e.Message})");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Passing(e);
        }
    }

    internal static RemoteFailure Passing(Exception e) => new(FailureKind.Passing, $"the connection failed ({e.Message})");

    private static string Host(Uri address) => address.Authority;
}
