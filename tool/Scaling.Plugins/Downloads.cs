// Archives on their way: resumable, one process at a time for each, and never put together from two different files.
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NuGet.Packaging.Core;
using Scaling.Engine.Files;

namespace Scaling.Plugins;

/// <summary>A package that is not installed, and the source that has it.</summary>
/// <param name="Package">Which.</param>
/// <param name="Feed">Where it is.</param>
/// <param name="Sha512">Content hash that it must have; null for any.</param>
internal sealed record Wanted(PackageIdentity Package, PackageFeed Feed, string? Sha512);

/// <param name="folder">Holds partial files.</param>
/// <param name="packages">Where finished ones go.</param>
/// <param name="observer">Hears of progress; called one at a time.</param>
internal sealed class Downloads(string folder, GlobalPackages packages, IPackageObserver observer)
{
    private const int TriesWithoutProgress = 3;
    private const int AtOnce = 4;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan BetweenReports = TimeSpan.FromMilliseconds(100);
    private readonly Lock _observer = new();

    /// <summary>Tells what is missing with sizes, then fetches and installs it.</summary>
    /// <param name="wanted">What is not installed.</param>
    /// <param name="cancel">Stops; what came stays.</param>
    public async Task Fetch(IReadOnlyList<Wanted> wanted, CancellationToken cancel)
    {
        if (wanted.Count == 0)
        {
            return;
        }

        var missing = await Task.WhenAll(wanted.Select(async w => (Wanted: w, Missing: await Describe(w, cancel).ConfigureAwait(false)))).ConfigureAwait(false);
        Tell(o => o.Missing([.. missing.Select(m => m.Missing)]));
        DemandRoom([.. missing.Select(m => m.Missing)]);
        await Parallel.ForEachAsync(
            missing, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel },
            async (m, stop) => await Fetch(m.Wanted, m.Missing, stop).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Reports what the reader should know.</summary>
    public void Warn(Scaling.Sdk.Diagnostic warning) => Tell(o => o.Warned(warning));

    /// <summary>A path in the folder that nobody else uses.</summary>
    public string Aside(string id, string version) => Path.Combine(folder, $"{id}.{version}.{Guid.NewGuid():N}".ToLowerInvariant());

    private async Task<MissingPackage> Describe(Wanted wanted, CancellationToken cancel)
    {
        long? size = await wanted.Feed.Size(wanted.Package, cancel).ConfigureAwait(false);
        var partial = new FileInfo(PartialPath(wanted));
        return new MissingPackage(wanted.Package.Id, wanted.Package.Version.ToNormalizedString(), wanted.Feed.Name, size, partial.Exists ? partial.Length : 0);
    }

    /// <summary>Refuses to begin what cannot end.</summary>
    private void DemandRoom(IReadOnlyList<MissingPackage> missing)
    {
        long needed = missing.Sum(m => Math.Max(0, (m.Bytes ?? 0) - m.BytesHere));
        MakeFolder(folder);
        long free = new DriveInfo(folder).AvailableFreeSpace;
        if (needed > free)
        {
            throw PackageProblems.NoRoom(missing.Count == 1 ? $"The download of {missing[0]}" : $"The download of {missing.Count} packages", folder, needed, free);
        }
    }

    private async Task Fetch(Wanted wanted, MissingPackage missing, CancellationToken cancel)
    {
        string partial = PartialPath(wanted);
        using var turn = await Turn(partial + ".lock", cancel).ConfigureAwait(false);
        // Whoever had the turn before has brought it.
        if (packages.Folder(wanted.Package) is not null)
        {
            return;
        }

        for (bool again = false; ; again = true)
        {
            bool resumed = await Bring(wanted, missing, partial, cancel).ConfigureAwait(false);
            try
            {
                var installed = await packages.Install(wanted.Package, partial, wanted.Feed.Address, wanted.Sha512, cancel).ConfigureAwait(false);
                Remove(partial);
                Tell(o => o.Installed(installed));
                return;
            }
            catch (Scaling.Sdk.StageFailedException) when (resumed && !again)
            {
                // The parts may be of two different files: once more, from the beginning.
                Remove(partial);
            }
            catch (Scaling.Sdk.StageFailedException)
            {
                Remove(partial);
                throw;
            }
        }
    }

    /// <summary>Brings a whole archive to the partial file's path.</summary>
    /// <returns>Whether a part of it was there before.</returns>
    private async Task<bool> Bring(Wanted wanted, MissingPackage missing, string partial, CancellationToken cancel)
    {
        var progress = new Progress(this, missing);
        if (await wanted.Feed.LocalPath(wanted.Package, cancel).ConfigureAwait(false) is { } local)
        {
            await Copy(local, missing, partial, progress, cancel).ConfigureAwait(false);
            return false;
        }

        if (await wanted.Feed.ArchiveAddress(wanted.Package, cancel).ConfigureAwait(false) is not { } address)
        {
            await using var whole = Create(partial, 0);
            if (!await wanted.Feed.Copy(wanted.Package, whole, cancel).ConfigureAwait(false))
            {
                throw PackageProblems.Interrupted(missing, 0, "the source has it no longer");
            }

            return false;
        }

        return await Bring(wanted, missing, partial, address, progress, cancel).ConfigureAwait(false);
    }

    /// <summary>Copies an archive of a folder.</summary>
    private async Task Copy(string local, MissingPackage missing, string partial, Progress progress, CancellationToken cancel)
    {
        try
        {
            await Write(partial, 0, File.OpenRead(local), progress, missing.Bytes, cancel).ConfigureAwait(false);
            progress.End();
        }
        catch (DiskException e)
        {
            throw PackageProblems.File(e.InnerException!, folder);
        }
        catch (Exception e) when (e is BrokenDownloadException or IOException or UnauthorizedAccessException)
        {
            throw PackageProblems.Interrupted(missing, 0, PackageProblems.Reason(e)); // Somebody replaced it meanwhile, or took it away.
        }
    }

    private async Task<bool> Bring(Wanted wanted, MissingPackage missing, string partial, Uri address, Progress progress, CancellationToken cancel)
    {
        bool resumed = false;
        int tries = 0;
        while (true)
        {
            var known = Part.Read(partial);
            long have = known.Length;
            if (have > 0 && have == known.Total)
            {
                progress.At(have, known.Total);
                progress.End();
                return true;
            }

            try
            {
                var end = await wanted.Feed.Get(
                    address,
                    request => known.Ask(request.Headers),
                    response => Receive(response, partial, known, progress, cancel), cancel).ConfigureAwait(false);
                switch (end)
                {
                    case Answer.Whole:
                        progress.End();
                        return resumed;
                    case Answer.Rest:
                        progress.End();
                        return true;
                    default:
                        Remove(partial);
                        resumed = false;
                        tries++;
                        break;
                }
            }
            catch (HttpRequestException e) when (e.StatusCode is { } status)
            {
                throw status == HttpStatusCode.NotFound
                    ? PackageProblems.Interrupted(missing, have, "the source has it no longer")
                    : PackageProblems.Unreachable([wanted.Feed.Failure(e)]);
            }
            catch (Exception e) when (e is HttpRequestException or HttpIOException or BrokenDownloadException or TimeoutException or NuGet.Protocol.Core.Types.FatalProtocolException
                || (e is IOException && e is not DiskException) || (e is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                long got = Part.Read(partial).Length;
                tries = got > have ? 0 : tries + 1;
                resumed = got > 0;
                if (tries >= TriesWithoutProgress)
                {
                    throw PackageProblems.Interrupted(missing, got, PackageProblems.Reason(e));
                }

                await Task.Delay(Pause, cancel).ConfigureAwait(false);
            }
            catch (DiskException e)
            {
                throw PackageProblems.File(e.InnerException!, folder);
            }

            if (tries >= TriesWithoutProgress)
            {
                throw PackageProblems.Interrupted(missing, 0, "the source answers with other parts than it is asked for");
            }
        }
    }

    private enum Answer
    {
        Whole,
        Rest,
        OtherFile,
    }

    private static async Task<Answer> Receive(HttpResponseMessage response, string partial, Part known, Progress progress, CancellationToken cancel)
    {
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return Answer.OtherFile;
        }

        response.EnsureSuccessStatusCode();
        bool rest = response.StatusCode == HttpStatusCode.PartialContent;
        var range = response.Content.Headers.ContentRange;
        if (rest && (range?.From != known.Length || (known.Total is { } before && range.Length is { } now && before != now)))
        {
            return Answer.OtherFile;
        }

        long start = rest ? known.Length : 0;
        long? total = rest ? range!.Length ?? known.Total : response.Content.Headers.ContentLength;
        if (!rest)
        {
            Part.Write(partial, response.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null, response.Content.Headers.LastModified, total);
        }

        var body = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        await Write(partial, start, body, progress, total, cancel).ConfigureAwait(false);
        return rest ? Answer.Rest : Answer.Whole;
    }

    private static async Task Write(string partial, long start, Stream body, Progress progress, long? total, CancellationToken cancel)
    {
        await using var from = body;
        await using var to = Create(partial, start);
        byte[] buffer = new byte[1 << 17];
        long done = start;
        progress.At(done, total);
        while (true)
        {
            int length = await from.ReadAsync(buffer, cancel).ConfigureAwait(false);
            if (length == 0)
            {
                break;
            }

            try
            {
                await to.WriteAsync(buffer.AsMemory(0, length), CancellationToken.None).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                throw new DiskException(e);
            }

            done += length;
            progress.At(done, total);
        }

        if (total is { } all && done != all)
        {
            throw new BrokenDownloadException("the connection ended early");
        }
    }

    /// <summary>Opens the partial file for appending, without a buffer that a killed process would lose.</summary>
    private static FileStream Create(string partial, long start)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(partial)!);
            var file = new FileStream(partial, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 });
            file.SetLength(start);
            file.Position = start;
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PackageProblems.File(e, Path.GetDirectoryName(partial)!);
        }
    }

    /// <summary>Waits for whoever brings the same archive; its lock ends with its process.</summary>
    private static async Task<FileLock> Turn(string path, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                if (FileLock.TryTake(path) is { } turn)
                {
                    return turn;
                }

                await Task.Delay(Pause, cancel).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PackageProblems.File(e, Path.GetDirectoryName(path)!);
        }
    }

    private static void MakeFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PackageProblems.File(e, folder);
        }
    }

    private static void Remove(string partial)
    {
        File.Delete(partial);
        File.Delete(Part.Notes(partial));
    }

    private string PartialPath(Wanted wanted)
    {
        string source = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(wanted.Feed.Address)))[..12];
        return Path.Combine(folder, $"{wanted.Package.Id}.{wanted.Package.Version.ToNormalizedString()}.{source}.partial".ToLowerInvariant());
    }

    private void Tell(Action<IPackageObserver> what)
    {
        lock (_observer)
        {
            what(observer);
        }
    }

    /// <summary>Writing failed, not the network.</summary>
    private sealed class DiskException(IOException cause) : IOException(cause.Message, cause);

    private sealed class BrokenDownloadException(string message) : Exception(message);

    /// <summary>Tells of one package's bytes, not too often.</summary>
    private sealed class Progress(Downloads downloads, MissingPackage package)
    {
        private long _last;
        private long _done;
        private long? _total = package.Bytes;

        public void At(long done, long? total)
        {
            _done = done;
            _total = total ?? _total;
            if (_last == 0 || Stopwatch.GetElapsedTime(_last) >= BetweenReports)
            {
                _last = Stopwatch.GetTimestamp();
                downloads.Tell(o => o.Progress(package, _done, _total));
            }
        }

        public void End() => downloads.Tell(o => o.Progress(package, _done, _total));
    }

    /// <summary>What is here of an archive, and what its source said of the whole.</summary>
    /// <param name="Length">Bytes here.</param>
    /// <param name="Tag">The file's strong entity tag.</param>
    /// <param name="Modified">Its date, where it has no tag.</param>
    /// <param name="Total">Bytes in all.</param>
    internal sealed record Part(long Length, string? Tag, DateTimeOffset? Modified, long? Total)
    {
        public static string Notes(string partial) => partial + ".json";

        /// <summary>A part without notes is of no use: nothing tells what it is a part of.</summary>
        public static Part Read(string partial)
        {
            try
            {
                var noted = JsonSerializer.Deserialize(File.ReadAllText(Notes(partial)), PluginsJson.Default.Part)!;
                return noted with { Length = File.Exists(partial) ? new FileInfo(partial).Length : 0 };
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
            {
                return new Part(0, null, null, null);
            }
        }

        public static void Write(string partial, string? tag, DateTimeOffset? modified, long? total)
        {
            try
            {
                // What is there is of another file from now on.
                File.Delete(partial);
                Durable.Write(Notes(partial), JsonSerializer.Serialize(new Part(0, tag, modified, total), PluginsJson.Default.Part));
            }
            catch (IOException e)
            {
                throw new DiskException(e);
            }
        }

        /// <summary>Asks for the rest, if the file is still the same; a source without tag, date and size is asked for the whole.</summary>
        public void Ask(HttpRequestHeaders headers)
        {
            if (Length == 0 || (Tag ?? (object?)Modified ?? Total) is null)
            {
                return;
            }

            headers.Range = new RangeHeaderValue(Length, null);
            if (Tag is not null)
            {
                headers.IfRange = new RangeConditionHeaderValue(new EntityTagHeaderValue(Tag));
            }
            else if (Modified is { } date)
            {
                headers.IfRange = new RangeConditionHeaderValue(date);
            }
        }
    }
}
