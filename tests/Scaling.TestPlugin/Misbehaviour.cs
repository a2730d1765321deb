// The ways in which a stage can go wrong.
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>How a stage misbehaves.</summary>
public enum How
{
    /// <summary>Not at all.</summary>
    Well,

    /// <summary>Kills the process at once, as native code does that aborts.</summary>
    Crash,

    /// <summary>Ends the process in order, with exit code 0, in the middle of the action.</summary>
    Exit,

    /// <summary>Throws an exception that is no diagnostic.</summary>
    Throw,

    /// <summary>Fails with two diagnostics.</summary>
    Fail,

    /// <summary>Never returns, reports nothing and does not look at Stop.</summary>
    Hang,

    /// <summary>Prints rubbish to standard output and error, then succeeds.</summary>
    Babble,

    /// <summary>Returns without having written its output.</summary>
    Incomplete,

    /// <summary>Takes its time, reports progress and honours Stop.</summary>
    Slow,

    /// <summary>Warns, then succeeds.</summary>
    Warn,

    /// <summary>Prints a line, takes its time, then fails.</summary>
    Grumble,

    /// <summary>Prints twenty million characters and a last word, then fails.</summary>
    Flood,

    /// <summary>Writes a table whose row is longer than its header; see <see cref="MisbehaveRowStage"/>.</summary>
    Ragged,

    /// <summary>Asks for an output outside its folder.</summary>
    Escape,

    /// <summary>Writes beside its output folder, then succeeds.</summary>
    Beside,

    /// <summary>Writes other bytes every time.</summary>
    Random,

    /// <summary>Writes its output as a link to a file of the machine.</summary>
    Link,
}

internal static class Misbehaviour
{
    /// <summary>The misbehaviour that a row's text names; any other text behaves well.</summary>
    public static How Named(string text) =>
        Enum.TryParse(text, ignoreCase: true, out How how) && Enum.IsDefined(how) && !char.IsDigit(text[0]) ? how : How.Well;

    /// <summary>Misbehaves.</summary>
    /// <returns>Whether the stage then goes on to write its output.</returns>
    public static bool Act<TSettings>(How how, int milliseconds, StageContext<TSettings> context)
        where TSettings : class
    {
        switch (how)
        {
            case How.Crash:
                Environment.FailFast("crashed as asked");
                break;
            case How.Exit:
                Environment.Exit(0);
                break;
            case How.Throw:
                throw new InvalidOperationException("thrown as asked");
            case How.Fail:
                throw new StageFailedException(
                [
                    new Diagnostic("TEST0001", "It failed as asked.") { Hint = "Ask for something else." },
                    new Diagnostic("TEST0002", "And it failed twice."),
                ]);
            case How.Hang:
                Thread.Sleep(Timeout.Infinite);
                break;
            case How.Babble:
                Babble();
                break;
            case How.Slow:
                TakeTime(milliseconds, context);
                break;
            case How.Warn:
                context.Warn("TEST0003", "It warned as asked.", "Do not mind.");
                break;
            case How.Grumble:
                Console.Out.WriteLine("grumbling");
                TakeTime(milliseconds, context);
                throw new StageFailedException("TEST0004", "It grumbled as asked.");
            case How.Escape:
                File.WriteAllText(context.Output("../../escaped.txt"), "escaped\n");
                break;
            case How.Beside:
                File.WriteAllText(Path.Combine(context.WorkFolder, "..", "beside.txt"), "beside\n");
                break;
            case How.Link:
                File.CreateSymbolicLink(context.Output("done.txt"), "/etc/hostname");
                return false;
            case How.Flood:
                Flood();
                throw new StageFailedException("TEST0005", "It flooded its log as asked.");
            default:
                break;
        }

        return how != How.Incomplete;
    }

    /// <summary>What looks like a protocol, what ends no line, and bytes that are no UTF-8.</summary>
    private static void Babble()
    {
        Console.Out.WriteLine("""{"event":"done","outputs":[]}""");
        Console.Out.Write("no line end \0 \u001b[31m red");
        Console.Error.WriteLine("complaint");
        using var output = Console.OpenStandardOutput();
        output.Write([0xff, 0xfe, 0x00, 0x0a, 0x80]);
        output.Write(new byte[100_000]);
        output.Flush();
    }

    private static void Flood()
    {
        string line = new('x', 10_000);
        for (int i = 0; i < 2000; i++)
        {
            Console.Out.WriteLine(line);
        }

        Console.Out.WriteLine("the last word");
    }

    private static void TakeTime<TSettings>(int milliseconds, StageContext<TSettings> context)
        where TSettings : class
    {
        const int step = 20;
        for (int done = 0; done < milliseconds; done += step)
        {
            context.Progress(done, milliseconds, "milliseconds");
            context.Stop.WaitHandle.WaitOne(Math.Min(step, milliseconds - done));
            context.Stop.ThrowIfCancellationRequested();
        }
    }
}
