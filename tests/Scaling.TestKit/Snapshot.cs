// What people see, held against Class.Method.verified.txt beside the test: Verify's own file format.
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
#if VERIFY
using VerifyXunit;
#else
using Xunit;
#endif

namespace Scaling.TestKit;

/// <summary>
/// Holds text against a file beside the test, which a person has looked at once. Commit <c>*.verified.txt</c>, ignore <c>*.received.*</c>. Line ends and those at the end of the text do not count.
/// </summary>
public static partial class Snapshot
{
    /// <summary>Compares text with the verified file; on a difference writes <c>.received.txt</c> beside it and fails.</summary>
    /// <param name="text">What was seen. Paths of the machine must be out of it already.</param>
    /// <param name="suffix">Tells several snapshots of one test apart.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="method">Filled in by the compiler.</param>
    /// <returns>Completes when it has been compared.</returns>
    /// <exception cref="Xunit.Sdk.XunitException">The text is not the verified one.</exception>
    /// <exception cref="DirectoryNotFoundException">The test's source is not on this machine.</exception>
    public static Task Match(string text, string? suffix = null, [CallerFilePath] string file = "", [CallerMemberName] string method = "")
    {
        text = text.ReplaceLineEndings("\n");
        string folder = SourceFolder(file);
        string name = $"{Path.GetFileNameWithoutExtension(file)}.{method}{(suffix is null ? "" : "." + suffix)}";
#if VERIFY
        var settings = new VerifyTests.VerifySettings();
        settings.UseDirectory(folder);
        settings.UseFileName(name);
        settings.DisableDiff();
        return Verifier.Verify(text, settings, sourceFile: Path.Combine(folder, Path.GetFileName(file)));
#else
        string verified = Path.Combine(folder, name + ".verified.txt");
        string received = Path.Combine(folder, name + ".received.txt");
        string expected = File.Exists(verified) ? File.ReadAllText(verified).TrimStart('\uFEFF').ReplaceLineEndings("\n") : "";
        if (expected.TrimEnd('\n') == text.TrimEnd('\n'))
        {
            File.Delete(received);
            return Task.CompletedTask;
        }

        File.WriteAllText(received, text);
        Assert.Fail($"Snapshot differs. Look at {received}; if it is right, rename it to {Path.GetFileName(verified)}.\n--- received\n{text}\n--- verified\n{expected}");
        return Task.CompletedTask;
#endif
    }

    /// <summary>Deterministic builds map source paths to /_/, so the source is looked for in every folder above the running test.</summary>
    private static string SourceFolder(string file)
    {
        if (Path.GetDirectoryName(file) is { } folder && Directory.Exists(folder))
        {
            return folder;
        }

        string relative = Mapped().Replace(file.Replace('\\', '/'), "");
        for (var above = new DirectoryInfo(AppContext.BaseDirectory); above is not null; above = above.Parent)
        {
            string source = Path.Combine(above.FullName, relative);
            if (File.Exists(source))
            {
                return Path.GetDirectoryName(source)!;
            }
        }

        throw new DirectoryNotFoundException($"The source {file} of this test lies in no folder above {AppContext.BaseDirectory}; a snapshot stands beside its source, so run the test where it was built.");
    }

    [GeneratedRegex("^/_[0-9]*/")]
    private static partial Regex Mapped();
}
