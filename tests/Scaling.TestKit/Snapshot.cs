// What people see, held against Class.Method.verified.txt beside the test: Verify's own file format.
using System.Runtime.CompilerServices;
#if VERIFY
using VerifyXunit;
#else
using Xunit;
#endif

namespace Scaling.TestKit;

/// <summary>The one door to snapshots.</summary>
public static class Snapshot
{
    /// <summary>Compares text with the verified file; on a difference writes <c>.received.txt</c> beside it and fails.</summary>
    /// <param name="text">What was seen. Paths of the machine must be out of it already.</param>
    /// <param name="suffix">Tells several snapshots of one test apart.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="method">Filled in by the compiler.</param>
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

    /// <summary>Builds map source paths to /_/, so the checkout is found again from where the test runs.</summary>
    private static string SourceFolder(string file)
    {
        string? folder = Path.GetDirectoryName(file);
        if (folder is not null && Directory.Exists(folder))
        {
            return folder;
        }

        return Path.Combine(Repository.Root, Path.GetDirectoryName(file.Replace("/_/", ""))!);
    }
}

/// <summary>The checkout that the running tests were built from.</summary>
public static class Repository
{
    /// <summary>Its root folder.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "ScalingPipeline.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("tests run below their checkout");
    }
}
