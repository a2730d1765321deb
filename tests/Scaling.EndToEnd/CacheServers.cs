// Real servers that keep a remote cache: nginx with WebDAV, and OpenStack Swift with its S3 interface, each started on loopback ports in a folder of its own.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

/// <summary>A test that needs a program of the system; skipped with the reason where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(string package, params string[] files)
    {
        if (files.FirstOrDefault(f => !File.Exists(f)) is { } missing)
        {
            Skip = $"{missing} is not there (apt-get install {package}).";
        }
    }
}

/// <summary>Processes of a server, ended by their ids.</summary>
public abstract class CacheServer : IDisposable
{
    private readonly List<Process> _processes = [];

    protected TemporaryFolder Folder { get; } = new();

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        foreach (var process in Enumerable.Reverse(_processes))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }

        Folder.Dispose();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    protected void Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder.Path, RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _processes.Add(process);
    }

    protected static void Do(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    protected void WaitForPort(int port) => Tool.Until(() =>
    {
        Assert.True(_processes.TrueForAll(p => !p.HasExited), "a server ended");
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }, $"port {port}");
}

/// <summary>nginx with its own WebDAV module.</summary>
public sealed class NginxServer : CacheServer
{
    public const string Program = "/usr/sbin/nginx";
    public const string Package = "nginx-light";

    public NginxServer(string extra = "")
    {
        Port = FreePort();
        Directory.CreateDirectory(Folder["objects"]);
        Directory.CreateDirectory(Folder["temp"]);
        Directory.CreateDirectory(Folder["logs"]);
        Folder.Write("nginx.conf", $$"""
            daemon off;
            pid nginx.pid;
            error_log logs/error.log;
            {{(Environment.UserName == "root" ? "user root;" : "")}}
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path temp;
              proxy_temp_path temp/proxy; fastcgi_temp_path temp/fastcgi; uwsgi_temp_path temp/uwsgi; scgi_temp_path temp/scgi;
              server {
                listen 127.0.0.1:{{Port}};
                root objects;
                client_max_body_size 0;
                location / { dav_methods PUT; create_full_put_path on; {{extra}} }
              }
            }
            """);
        Start(Program, "-p", Folder.Path, "-c", "nginx.conf", "-e", "logs/error.log");
        WaitForPort(Port);
    }

    public int Port { get; }

    public string Address => $"http://127.0.0.1:{Port}";

    /// <summary>The objects of a folder, <c>ac</c> or <c>cas</c>.</summary>
    public string[] Objects(string folder) => Directory.Exists(Folder[$"objects/{folder}"]) ? Directory.GetFiles(Folder[$"objects/{folder}"]) : [];
}

/// <summary>OpenStack Swift with s3api: a proxy, three servers, memcached, one folder for a disk.</summary>
public sealed class SwiftServer : CacheServer
{
    public const string Package = "swift-proxy swift-account swift-container swift-object memcached";
    public const string Program = "/usr/bin/swift-proxy-server";
    public const string Memcached = "/usr/bin/memcached";
    private const string User = "test:tester";
    private const string Key = "testing";
    private readonly int _port = FreePort();

    public SwiftServer()
    {
        Directory.CreateDirectory(Etc);
        Directory.CreateDirectory(Folder["disks/one"]);
        Folder.Write("etc/swift.conf", "[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n[storage-policy:0]\nname = one\ndefault = yes\n");
        int memory = FreePort();
        Start(Memcached, ["-l", "127.0.0.1", "-p", $"{memory}", "-U", "0", .. Environment.UserName == "root" ? new[] { "-u", "root" } : []]);
        foreach (string kind in new[] { "account", "container", "object" })
        {
            int port = FreePort();
            Do(Etc, "swift-ring-builder", $"{kind}.builder", "create", "2", "1", "1");
            Do(Etc, "swift-ring-builder", $"{kind}.builder", "add", "--region", "1", "--zone", "1", "--ip", "127.0.0.1", "--port", $"{port}", "--device", "one", "--weight", "1");
            Do(Etc, "swift-ring-builder", $"{kind}.builder", "rebalance");
            Configure($"{kind}-server", port, $"devices = {Folder["disks"]}\nmount_check = false\ndisable_fallocate = true\nfallocate_reserve = 0\n", $"{kind}-server", $"[app:{kind}-server]\nuse = egg:swift#{kind}\n");
        }

        Configure("proxy-server", _port, "", "cache s3api tempauth proxy-server", $"""
            [app:proxy-server]
            use = egg:swift#proxy
            account_autocreate = true
            [filter:cache]
            use = egg:swift#memcache
            memcache_servers = 127.0.0.1:{memory}
            [filter:tempauth]
            use = egg:swift#tempauth
            user_test_tester = {Key} .admin
            [filter:s3api]
            use = egg:swift#s3api
            location = us-east-1

            """);
        WaitForPort(_port);
        MakeBucket("cache");
    }

    public string Endpoint => $"http://127.0.0.1:{_port}";

    /// <summary>What AWS's clients take from the environment.</summary>
    public void Name(IDictionary<string, string> environment)
    {
        environment["AWS_ENDPOINT_URL"] = Endpoint;
        environment["AWS_ACCESS_KEY_ID"] = User;
        environment["AWS_SECRET_ACCESS_KEY"] = Key;
        environment["AWS_REGION"] = "us-east-1";
    }

    private string Etc => Folder["etc"];

    private void Configure(string server, int port, string more, string pipeline, string parts)
    {
        string file = Folder.Write($"etc/{server}.conf", $"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nuser = {Environment.UserName}\nswift_dir = {Etc}\nworkers = 0\nlog_address = /dev/null\n{more}[pipeline:main]\npipeline = {pipeline}\n{parts}");
        Start($"/usr/bin/swift-{server}", file);
    }

    /// <summary>One request signed by hand (AWS signature 4): buckets are made by whoever owns the server, not by the tool.</summary>
    private void MakeBucket(string name)
    {
        string time = DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'");
        string scope = $"{time[..8]}/us-east-1/s3/aws4_request";
        string empty = Convert.ToHexStringLower(SHA256.HashData([]));
        string host = $"127.0.0.1:{_port}";
        string canonical = $"PUT\n/{name}\n\nhost:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{time}\n\nhost;x-amz-content-sha256;x-amz-date\n{empty}";
        string text = $"AWS4-HMAC-SHA256\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        byte[] key = scope.Split('/').Aggregate(Encoding.UTF8.GetBytes("AWS4" + Key), (k, part) => HMACSHA256.HashData(k, Encoding.UTF8.GetBytes(part)));
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{Endpoint}/{name}");
        request.Headers.TryAddWithoutValidation("x-amz-date", time);
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", empty);
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential={User}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)))}");
        using var response = client.Send(request);
        Assert.True(response.IsSuccessStatusCode, $"making the bucket: {response.StatusCode}");
    }
}
