// Files that are there whole or not at all, also after the power went.
using System.Text;

namespace Scaling.Engine.Files;

/// <summary>Writes aside, flushes, renames, and flushes the folder.</summary>
public static class Durable
{
    /// <summary>Publishes text at a path in one step.</summary>
    /// <param name="path">Replaced if there.</param>
    /// <param name="text">Written as UTF-8.</param>
    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Publishes bytes at a path in one step.</summary>
    /// <param name="path">Replaced if there; its folder is made.</param>
    /// <param name="bytes">Content.</param>
    public static void Write(string path, ReadOnlySpan<byte> bytes) => Write(path, bytes, (aside, place) =>
    {
        File.Move(aside, place, overwrite: true);
        return true;
    });

    /// <summary>Publishes bytes at a path in one step, if nothing is there yet: of several who try, one succeeds, on every file system.</summary>
    /// <param name="path">Its folder is made.</param>
    /// <param name="bytes">Content.</param>
    /// <returns>False where something is there.</returns>
    public static bool TryWriteNew(string path, ReadOnlySpan<byte> bytes) => Write(path, bytes, (aside, place) =>
    {
        // .NET looks, and then renames over what came in between; link(2) fails where the name is taken, also on a network file system.
        if (OperatingSystem.IsLinux() && LibC.HardLink(aside, place) == 0)
        {
            File.Delete(aside);
            return true;
        }

        if (File.Exists(place))
        {
            File.Delete(aside);
            return false;
        }

        File.Move(aside, place, overwrite: false); // A file system without links.
        return true;
    });

    /// <summary>Removes what processes left beside a path that were killed while they wrote it; those of other hosts after a day.</summary>
    /// <param name="path">As it was given to <see cref="Write(string, string)"/>.</param>
    public static void RemoveAsides(string path)
    {
        string folder = Path.GetDirectoryName(path)!;
        string begin = $".{Path.GetFileName(path)}.";
        foreach (string aside in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, begin + "*") : [])
        {
            if (Path.GetFileName(aside)[begin.Length..].Split('.') is [var writer, { Length: 32 }] && Aside.IsLeft(aside, writer))
            {
                File.Delete(aside);
            }
        }
    }

    private static bool Write(string path, ReadOnlySpan<byte> bytes, Func<string, string, bool> publish)
    {
        string folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        string aside = Path.Combine(folder, $".{Path.GetFileName(path)}.{Aside.Writer}.{Guid.NewGuid():N}");
        bool published;
        try
        {
            using (var handle = File.OpenHandle(aside, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.Write(handle, bytes, 0);
                RandomAccess.FlushToDisk(handle);
            }

            published = publish(aside, path);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }

        FlushFolder(folder);
        return published;
    }

    /// <summary>Flushes a written file and moves it to its place on the same file system, in one step.</summary>
    /// <param name="file">Complete, closed.</param>
    /// <param name="path">Replaced if there; its folder is made.</param>
    public static void Move(string file, string path)
    {
        using (var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(handle);
        }

        string folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        File.Move(file, path, overwrite: true);
        FlushFolder(folder);
    }

    private static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        int descriptor = LibC.Open(folder, LibC.ReadOnly | LibC.CloseOnExec, 0);
        if (descriptor >= 0)
        {
            _ = LibC.Flush(descriptor);
            _ = LibC.Close(descriptor);
        }
    }
}
