// Packages of npm that tests run, installed beside the built tests and never in the working tree.
using System.Diagnostics;
using System.Security.Cryptography;

namespace Scaling.TestKit;

/// <summary>
/// Installs what a test project's package.json and package-lock.json name, once for each content of the lock. The project copies both files to its output:
/// <c>&lt;None Include="package.json;package-lock.json" CopyToOutputDirectory="PreserveNewest" /&gt;</c>.
/// </summary>
public static class NodePackages
{
    /// <summary>npm's words for a registry that is not in reach. Anything else that npm says is a mistake of ours and fails the test.</summary>
    private static readonly string[] Unreachable = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH"];

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(4);

    private static readonly Lazy<Outcome> Installation = new(Install);

    /// <summary>Why there are no packages on this machine, for who skips a test; null where there are. The first call installs them, which takes seconds.</summary>
    public static string? Missing => Installation.Value.Missing;

    /// <summary>The folder that holds <c>node_modules</c>.</summary>
    /// <exception cref="InvalidOperationException">There is none; the message says why.</exception>
    public static string Folder => Installation.Value is { Folder: { } folder } ? folder : throw new InvalidOperationException(Installation.Value.Failed ?? Missing);

    /// <summary>The program <c>node</c>; null where it is not on the PATH.</summary>
    public static string? Node { get; } = OnPath("node");

    /// <summary>A file of a package.</summary>
    /// <param name="path">Below <c>node_modules</c>, for example <c>axe-core/axe.min.js</c>.</param>
    public static string File(string path) => Path.Combine(Folder, "node_modules", path);

    private static Outcome Install()
    {
        if (Node is null || OnPath("npm") is not { } npm)
        {
            return new Outcome(Missing: $"{(Node is null ? "node" : "npm")} is not on the PATH: 'apt-get install nodejs npm' brings it");
        }

        string packages = Path.Combine(AppContext.BaseDirectory, "package.json"), locked = Path.Combine(AppContext.BaseDirectory, "package-lock.json");
        string digest = Convert.ToHexStringLower(SHA256.HashData([.. System.IO.File.ReadAllBytes(packages), .. System.IO.File.ReadAllBytes(locked)]))[..16];
        string all = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "node")).FullName;
        string folder = Path.Combine(all, digest);
        using var alone = Alone(Path.Combine(all, "lock"));
        if (Directory.Exists(folder))
        {
            return new Outcome(folder);
        }

        // Another name until it is whole: what was cut off is never taken for an installation.
        string begun = Path.Combine(all, "begun");
        if (Directory.Exists(begun))
        {
            Directory.Delete(begun, recursive: true);
        }

        Directory.CreateDirectory(begun);
        System.IO.File.Copy(packages, Path.Combine(begun, "package.json"));
        System.IO.File.Copy(locked, Path.Combine(begun, "package-lock.json"));
        if (Failure(npm, begun) is { } said)
        {
            return Unreachable.Any(said.Contains) ? new Outcome(Missing: $"npm reaches no registry: {said.Trim().Split('\n')[0]}") : new Outcome(Failed: $"npm ci failed: {said}");
        }

        Directory.Move(begun, folder);
        return new Outcome(folder);
    }

    /// <summary>What npm said where it failed; null where it did not. Scripts of packages are not run.</summary>
    private static string? Failure(string npm, string folder)
    {
        string[] words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--fetch-retries=1"];
        using var process = Process.Start(new ProcessStartInfo(npm, words) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Longest))
        {
            process.Kill(entireProcessTree: true);
            return $"ETIMEDOUT: it was not done after {Longest.TotalMinutes:0} minutes";
        }

        string said = output.GetAwaiter().GetResult() + error.GetAwaiter().GetResult();
        return process.ExitCode == 0 ? null : said;
    }

    /// <summary>Holds the lock file; waits while another test run has it, which installs meanwhile.</summary>
    private static FileStream Alone(string path)
    {
        for (var waited = Stopwatch.StartNew(); ; Thread.Sleep(100))
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (waited.Elapsed < Longest)
            {
                // It ends, or its end frees the lock.
            }
        }
    }

    /// <summary>One of the three. A failure is told by the first test that wants the folder: an attribute that throws would only hide its test.</summary>
    private sealed record Outcome(string? Folder = null, string? Missing = null, string? Failed = null);

    private static string? OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(System.IO.File.Exists);
}

/// <summary>A fact about something that npm brings; skipped, with the reason, where there is no node or no registry.</summary>
public sealed class NodeFactAttribute : Xunit.FactAttribute
{
    /// <summary>Installs the packages at the first look.</summary>
    public NodeFactAttribute() => Skip = NodePackages.Missing;
}

/// <summary>A theory about something that npm brings; skipped, with the reason, where there is no node or no registry.</summary>
public sealed class NodeTheoryAttribute : Xunit.TheoryAttribute
{
    /// <summary>Installs the packages at the first look.</summary>
    public NodeTheoryAttribute() => Skip = NodePackages.Missing;
}
