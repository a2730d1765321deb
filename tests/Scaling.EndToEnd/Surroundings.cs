// Another host, or another disk, for the tool: namespaces of their own, which nothing outside sees and which are gone with their process.
using System.Diagnostics;

namespace Scaling.EndToEnd;

/// <summary>Mounts and a host name that only what is started within them has. Needs root.</summary>
public sealed class Surroundings : IDisposable
{
    private readonly Process _holder;

    /// <param name="commands">A shell's, to make them.</param>
    public Surroundings(string commands)
    {
        _holder = Process.Start(new ProcessStartInfo("unshare", ["-m", "-u", "--propagation", "private", "sh", "-ec", $"{commands}\necho ready\nexec sleep 600"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        string? line = _holder.StandardOutput.ReadLine();
        Assert.True(line == "ready", line is null ? _holder.StandardError.ReadToEnd() : line);
    }

    /// <summary>A host with another name and another boot of a kernel, as the tool sees it; its clock and disks are the same.</summary>
    /// <param name="name">Of the host.</param>
    /// <param name="folder">Where a file may be written.</param>
    public static Surroundings OtherHost(string name, string folder)
    {
        string boot = Path.Combine(folder, $"boot of {name}");
        File.WriteAllText(boot, $"{Guid.NewGuid()}\n");
        return new Surroundings($"hostname '{name}'\nmount --bind '{boot}' /proc/sys/kernel/random/boot_id");
    }

    /// <summary>What a command line begins with to run here.</summary>
    public IReadOnlyList<string> Command => ["nsenter", "-t", $"{_holder.Id}", "-m", "-u", "--wd=."];

    /// <summary>Runs a shell's commands here.</summary>
    public void Do(string commands)
    {
        using var shell = Process.Start("nsenter", ["-t", $"{_holder.Id}", "-m", "-u", "sh", "-ec", commands]);
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    public void Dispose()
    {
        _holder.Kill();
        _holder.WaitForExit();
        _holder.Dispose();
    }
}
