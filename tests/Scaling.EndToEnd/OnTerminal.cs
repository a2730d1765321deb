// The tool on a terminal of its own, which a person looks at and types into.
using System.Text;

namespace Scaling.EndToEnd;

/// <summary>One command on a pseudo-terminal, by script(1) of util-linux.</summary>
public sealed class OnTerminal : IDisposable
{
    public const string Script = "/usr/bin/script";
    private readonly System.Diagnostics.Process _process;
    private readonly Screen _screen;
    private readonly StringBuilder _sent = new();
    private readonly Task _reading;

    /// <summary>Starts it.</summary>
    /// <param name="tool">Its folder and store.</param>
    /// <param name="line">The command line after the tool's name.</param>
    /// <param name="columns">Of the terminal.</param>
    /// <param name="rows">Of the terminal.</param>
    /// <param name="shell">What a shell does, with <c>TOOL</c> for the tool and its command line.</param>
    public OnTerminal(Tool tool, string line, int columns = 80, int rows = 24, string shell = "exec TOOL")
    {
        _screen = new Screen(columns, rows);
        var start = tool.Command(Script, "-qefc", $"stty rows {rows} cols {columns}; {shell.Replace("TOOL", $"env --default-signal=INT,QUIT,TSTP {Tool.Program} {line}")}", "/dev/null");
        start.Environment["TERM"] = tool.Environment.GetValueOrDefault("TERM") ?? "xterm";
        if (!tool.Environment.ContainsKey("NO_COLOR"))
        {
            start.Environment.Remove("NO_COLOR");
        }

        _process = System.Diagnostics.Process.Start(start)!;
        _reading = Task.Run(Read);
    }

    /// <summary>The process whose only child the tool is.</summary>
    public int Process => _process.Id;

    /// <summary>What stands there now.</summary>
    public string Seen
    {
        get
        {
            lock (_screen)
            {
                return _screen.ToString();
            }
        }
    }

    /// <summary>All that it was sent.</summary>
    public string Sent
    {
        get
        {
            lock (_screen)
            {
                return _sent.ToString();
            }
        }
    }

    /// <summary>Waits until something stands there.</summary>
    public string Until(Func<string, bool> stands, string what)
    {
        string seen = "";
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (!stands(seen = Seen))
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30) && !_reading.IsCompleted, $"{what} was not seen within {waited.Elapsed.TotalSeconds:0} s:\n{seen}");
            Thread.Sleep(10);
        }

        return seen;
    }

    /// <summary>Presses a key.</summary>
    public void Type(char key)
    {
        _process.StandardInput.Write(key);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits for its end: exit code, and the screen.</summary>
    public (int ExitCode, Screen Screen) End()
    {
        Assert.True(_process.WaitForExit(TimeSpan.FromMinutes(1)), $"it did not end:\n{Seen}");
        _reading.GetAwaiter().GetResult();
        return (_process.ExitCode, _screen);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Read()
    {
        char[] part = new char[4096];
        for (int read; (read = _process.StandardOutput.Read(part)) > 0;)
        {
            lock (_screen)
            {
                _sent.Append(part, 0, read);
                _screen.Take(new string(part, 0, read));
            }
        }
    }
}
