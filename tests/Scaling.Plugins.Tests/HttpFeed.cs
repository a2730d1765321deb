// A V3 feed over http whose behaviour tests choose, and which notes what it was asked.
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using NuGet.Packaging;

namespace Scaling.Plugins.Tests;

/// <summary>Serves the packages of a folder.</summary>
internal sealed class HttpFeed : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly string _folder;

    public HttpFeed(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Root = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        }

        _listener.Prefixes.Add(Root);
        _listener.Start();
        _ = Task.Run(Serve);
    }

    public string Root { get; }

    public string Index => Root + "index.json";

    /// <summary>Answers to range requests with the part that was asked for.</summary>
    public bool Ranges { get; set; } = true;

    /// <summary>Serves nuspec files apart from packages.</summary>
    public bool Nuspecs { get; set; } = true;

    /// <summary>Sends an entity tag for packages; null for none.</summary>
    public string? Tag { get; set; }

    /// <summary>Packages end after this many bytes, as often as <see cref="Cuts"/> says.</summary>
    public int CutAfter { get; set; }

    public int Cuts { get; set; }

    /// <summary>Says that packages have this size.</summary>
    public long? PretendSize { get; set; }

    /// <summary>User and password that are asked for, as in the header; null for none.</summary>
    public string? Credentials { get; set; }

    /// <summary>Waits before each package.</summary>
    public TimeSpan Slowness { get; set; }

    /// <summary>Method, path and range of each request for a package, such as <c>GET hello.1.0.0.nupkg 100-</c>.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>Bytes of packages that were sent.</summary>
    public long Sent;

    public void Dispose() => _listener.Close();

    private async Task Serve()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            _ = Task.Run(async () =>
            {
                try
                {
                    await Answer(context.Request, context.Response);
                    context.Response.Close();
                }
                catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException)
                {
                    context.Response.Abort();
                }
            });
        }
    }

    private async Task Answer(HttpListenerRequest request, HttpListenerResponse response)
    {
        if (Credentials is not null && request.Headers["Authorization"] != "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Credentials)))
        {
            response.StatusCode = 401;
            response.AddHeader("WWW-Authenticate", "Basic realm=\"feed\"");
            return;
        }

        switch (request.Url!.AbsolutePath.Trim('/').Split('/'))
        {
            case ["index.json"]:
                await Text(response, new JsonObject { ["version"] = "3.0.0", ["resources"] = new JsonArray(new JsonObject { ["@id"] = Root + "flat/", ["@type"] = "PackageBaseAddress/3.0.0" }) }.ToJsonString());
                break;
            case ["flat", var id, "index.json"]:
                await Text(response, new JsonObject { ["versions"] = new JsonArray([.. Packages(id).Select(p => JsonValue.Create(p.Version))]) }.ToJsonString());
                break;
            case ["flat", var id, var version, var file] when Packages(id).FirstOrDefault(p => p.Version == version).Path is { } path:
                await Package(request, response, file, path);
                break;
            default:
                response.StatusCode = 404;
                break;
        }
    }

    private async Task Package(HttpListenerRequest request, HttpListenerResponse response, string file, string path)
    {
        if (file.EndsWith(".nuspec", StringComparison.Ordinal))
        {
            if (!Nuspecs)
            {
                response.StatusCode = 404;
                return;
            }

            using var reader = new PackageArchiveReader(path);
            using var nuspec = new StreamReader(reader.GetNuspec());
            await Text(response, await nuspec.ReadToEndAsync());
            return;
        }

        string? range = request.Headers["Range"]?.Replace("bytes=", "");
        Asked.Enqueue($"{request.HttpMethod} {file}{(range is null ? "" : " " + range)}");
        byte[] bytes = await File.ReadAllBytesAsync(path);
        if (Tag is not null)
        {
            response.AddHeader("ETag", Tag);
        }

        if (request.HttpMethod == "HEAD")
        {
            response.ContentLength64 = PretendSize ?? bytes.Length;
            return;
        }

        await Task.Delay(Slowness);
        int from = 0;
        int end = bytes.Length;
        if (Ranges && range is not null && (request.Headers["If-Range"] is not { } tag || tag == Tag))
        {
            from = int.Parse(range.Split('-')[0]);
            end = range.EndsWith('-') ? bytes.Length : int.Parse(range.Split('-')[1]) + 1;
            if (from >= bytes.Length)
            {
                response.StatusCode = 416;
                return;
            }

            response.StatusCode = 206;
            response.AddHeader("Content-Range", $"bytes {from}-{end - 1}/{bytes.Length}");
        }

        int length = end - from;
        response.ContentLength64 = length;
        bool cut = Cuts > 0 && length > CutAfter;
        int send = cut ? CutAfter : length;
        await response.OutputStream.WriteAsync(bytes.AsMemory(from, send));
        await response.OutputStream.FlushAsync();
        Interlocked.Add(ref Sent, send);
        if (cut)
        {
            Cuts--;
            await Task.Delay(50);
            response.Abort();
        }
    }

    private IEnumerable<(string Version, string Path)> Packages(string id)
    {
        foreach (string path in Directory.EnumerateFiles(_folder, "*.nupkg"))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            if (name.StartsWith(id + ".", StringComparison.OrdinalIgnoreCase) && char.IsDigit(name[id.Length + 1]))
            {
                yield return (name[(id.Length + 1)..], path);
            }
        }
    }

    private static async Task Text(HttpListenerResponse response, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        response.ContentType = "application/json";
        response.ContentLength64 = bytes.Length;
        await response.OutputStream.WriteAsync(bytes);
    }
}
