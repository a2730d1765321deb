// A cache server that keeps objects in memory and does wrong what a test asks it to: raw sockets, so that it can break off anywhere.
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Scaling.Remote.Tests;

/// <summary>What it does to an answer instead of giving it.</summary>
public enum Fault
{
    None,
    DiesInTheMiddle,
    DiesAtOnce,
    Stalls,
    StallsInTheMiddle,
    Answers500,
    Answers403,
    Answers429,
    Truncates,
    WrongBytes,
    Endless,
    RedirectsForEver,
    HtmlWith200,
    Garbage,
}

/// <summary>A server on a loopback port.</summary>
public sealed class FaultServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private int _requests;

    public FaultServer()
    {
        _listener.Start();
        _ = Accept();
    }

    /// <summary>What lies under each path, such as <c>/ac/KEY</c>.</summary>
    public ConcurrentDictionary<string, byte[]> Objects { get; } = new();

    /// <summary>Chooses what is done by method and path. Default: no fault.</summary>
    public Func<string, string, Fault> Faults { get; set; } = (_, _) => Fault.None;

    public int Requests => _requests;

    /// <summary>Headers of the last request.</summary>
    public string LastRequest { get; private set; } = "";

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public void Dispose()
    {
        _ending.Cancel();
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_ending.Token);
                _ = Task.Run(() => Serve(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task Serve(TcpClient client)
    {
        try
        {
            using (client)
            {
                var stream = client.GetStream();
                while (await Head(stream) is { } head)
                {
                    Interlocked.Increment(ref _requests);
                    LastRequest = head;
                    string[] first = head.Split("\r\n")[0].Split(' ');
                    byte[] body = await Body(stream, head);
                    if (!await Answer(stream, first[0], first[1], body))
                    {
                        return;
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The other side went, or the test is over.
        }
    }

    private async Task<bool> Answer(NetworkStream stream, string method, string path, byte[] body)
    {
        var fault = Faults(method, path);
        byte[] content = Objects.GetValueOrDefault(path) ?? [];
        switch (fault)
        {
            case Fault.DiesAtOnce:
                return false;
            case Fault.Stalls:
                await Task.Delay(Timeout.Infinite, _ending.Token);
                return false;
            case Fault.Answers500 or Fault.Answers403 or Fault.Answers429:
                await Send(stream, fault switch { Fault.Answers500 => "500 Broken", Fault.Answers403 => "403 Forbidden", _ => "429 Busy" }, [], 0);
                return true;
            case Fault.RedirectsForEver:
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 302 Found\r\nLocation: {path}\r\nContent-Length: 0\r\n\r\n"), _ending.Token);
                return true;
        }

        if (method == "PUT")
        {
            Objects[path] = body;
            await Send(stream, "201 Created", [], 0);
            return true;
        }

        if (!Objects.ContainsKey(path) && fault is not (Fault.HtmlWith200 or Fault.Endless))
        {
            await Send(stream, "404 Not Found", [], 0);
            return true;
        }

        switch (fault)
        {
            case Fault.DiesInTheMiddle or Fault.StallsInTheMiddle:
                await Send(stream, "200 OK", content[..(content.Length / 2)], content.Length);
                if (fault == Fault.StallsInTheMiddle)
                {
                    await Task.Delay(Timeout.Infinite, _ending.Token);
                }

                return false;
            case Fault.Truncates: // Without a length: the end of the connection is the end of the body.
                await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), _ending.Token);
                await stream.WriteAsync(content.AsMemory(0, content.Length / 2), _ending.Token);
                return false;
            case Fault.WrongBytes:
                content = [.. content];
                content[content.Length / 2] ^= 0x20;
                break;
            case Fault.Garbage:
                new Random(7).NextBytes(content = new byte[content.Length]);
                break;
            case Fault.HtmlWith200:
                content = Encoding.ASCII.GetBytes("<html><body>Please log in to this network.</body></html>");
                break;
            case Fault.Endless:
                await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), _ending.Token);
                await stream.WriteAsync(content, _ending.Token);
                for (byte[] more = new byte[1 << 16]; ;)
                {
                    await stream.WriteAsync(more, _ending.Token);
                }
        }

        await Send(stream, "200 OK", method == "HEAD" ? [] : content, content.Length);
        return true;
    }

    private async Task Send(NetworkStream stream, string status, byte[] content, int length)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n"), _ending.Token);
        await stream.WriteAsync(content, _ending.Token);
    }

    private async Task<string?> Head(NetworkStream stream)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _ending.Token) == 0)
            {
                return null;
            }

            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    private async Task<byte[]> Body(NetworkStream stream, string head)
    {
        string? length = head.Split("\r\n").FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))?.Split(':')[1];
        byte[] body = new byte[length is null ? 0 : int.Parse(length)];
        await stream.ReadExactlyAsync(body, _ending.Token);
        return body;
    }
}
